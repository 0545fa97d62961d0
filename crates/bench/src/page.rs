//! The results in `docs/BENCHMARKS.md`: everything between two marks is written anew.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::row::Row;
use crate::scenario::SERIES;
use crate::{figures, table};

const BEGIN: &str = "<!-- results: written by chat-bench plot -->\n";
const END: &str = "<!-- end of results -->\n";

/// Writes the tables of `rows` and the pictures in `folder` into a page beside it.
pub(crate) fn renew(page: &Path, folder: &Path, rows: &[Row], drawn: &[String]) -> Result<()> {
    let text =
        fs::read_to_string(page).with_context(|| format!("cannot read {}", page.display()))?;
    let folder = folder.file_name().context("a folder has a name")?.to_string_lossy();
    let renewed = replace(&text, &results(rows, &folder, drawn))
        .with_context(|| format!("{} has no place for results", page.display()))?;
    fs::write(page, renewed).with_context(|| format!("cannot write {}", page.display()))
}

fn replace(page: &str, results: &str) -> Option<String> {
    let (head, rest) = page.split_once(BEGIN)?;
    let (_old, tail) = rest.split_once(END)?;
    Some(format!("{head}{BEGIN}\n{results}{END}{tail}"))
}

fn results(rows: &[Row], folder: &str, drawn: &[String]) -> String {
    let mut text = format!("### The figures\n\n{}\n", figures::table(rows));
    for file in drawn {
        text += &format!("![{}]({folder}/{file})\n\n", file.trim_end_matches(".svg"));
    }
    let mut cases: Vec<_> = Vec::new();
    for row in rows.iter().filter(|row| row.scenario != SERIES) {
        if !cases.contains(&row.case()) {
            cases.push(row.case());
        }
    }
    for case in cases {
        let same: Vec<Row> = rows.iter().filter(|row| row.case() == case).cloned().collect();
        let table = table::of(&same);
        let (head, rest) = table.split_once('\n').unwrap_or((&table, ""));
        text += &format!("### {head}\n\n`chat-bench {}`\n{rest}\n", case.0);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_written_anew() {
        let page = format!("before\n{BEGIN}old\n{END}after\n");
        let row = Row { scenario: "a".to_owned(), target: "raw".to_owned(), ..Row::default() };
        let new = replace(&page, &results(&[row], "benchmarks", &["cost.svg".to_owned()]));
        let new = new.unwrap();
        assert!(new.starts_with("before\n") && new.ends_with("after\n") && !new.contains("old"));
        assert!(new.contains("![cost](benchmarks/cost.svg)") && new.contains("| raw |"), "{new}");
        assert_eq!(replace("no marks", ""), None);
    }
}
