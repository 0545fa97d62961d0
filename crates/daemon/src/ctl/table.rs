//! Records as people read them.

use std::fmt::Write;

use chat_inert::inert;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::answer::Record;

/// A line for each field: its name, and what it stands for.
pub(super) fn fields(records: &[Record]) -> String {
    let names = records.iter().flat_map(Record::fields).map(|(name, _value)| name.width());
    let widest = names.max().unwrap_or_default();
    let mut text = String::new();
    for (name, value) in records.iter().flat_map(Record::fields) {
        let space = " ".repeat(widest - name.width());
        writeln!(text, "{name}{space}  {}", shown(value)).expect("a string takes everything");
    }
    text
}

/// A line for each record under one with the names. Columns are as wide as what is in them.
pub(super) fn table(records: &[Record]) -> String {
    let Some(first) = records.first() else { return String::new() };
    let names: Vec<_> = first.fields().map(|(name, _value)| name).collect();
    let head = names.iter().map(|name| name.to_uppercase()).collect();
    let row = |record: &Record| names.iter().map(|name| cell(record.get(name))).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(records.iter().map(row)).collect();
    let widths: Vec<_> = (0..names.len())
        .map(|column| rows.iter().map(|row| row[column].width()).max().unwrap_or_default())
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (value, width) in row.iter().zip(&widths) {
            line.push_str(value);
            line.push_str(&" ".repeat(width - value.width() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn cell(value: Option<&Value>) -> String {
    value.map_or_else(String::new, shown)
}

/// Names and reasons are other people's words: nothing of them moves a cursor or rings a bell.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => inert(text).into_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(_) => inert(&value.to_string()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_columns_as_wide_as_what_is_in_them_and_inert_words() {
        let record = |name: &str, online| {
            Record::default().with("name", name).with("online", online).with("why", Value::Null)
        };
        let records = [record("zoë", true), record("日本", false), record("a\u{1b}[2J", false)];
        let expected = "\
NAME   ONLINE  WHY
zoë    yes
日本   no
a␛[2J  no
";
        assert_eq!(table(&records), expected);
        assert_eq!(table(&[]), "");
    }

    #[test]
    fn fields_stand_in_line() {
        let record = Record::default().with("version", "1").with("uptime-s", 3);
        assert_eq!(fields(&[record]), "version   1\nuptime-s  3\n");
    }
}
