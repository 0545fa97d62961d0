//! The results in `docs/BENCHMARKS.md`, and the machine they are of: what is between two marks is
//! written anew.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::row::Row;
use crate::scenario::SERIES;
use crate::{figures, table};

/// What stands around something that is written anew.
struct Marks {
    begin: &'static str,
    end: &'static str,
}

const RESULTS: Marks = Marks {
    begin: "<!-- results: written by chat-bench plot -->\n",
    end: "<!-- end of results -->\n",
};

const HOST: Marks = Marks {
    begin: "<!-- machine: written by chat-bench plot -->\n",
    end: "<!-- end of machine -->\n",
};

/// Writes the tables of `rows` and the pictures in `folder` into a page beside it.
pub(crate) fn renew(page: &Path, folder: &Path, rows: &[Row], drawn: &[String]) -> Result<()> {
    let text =
        fs::read_to_string(page).with_context(|| format!("cannot read {}", page.display()))?;
    let folder = folder.file_name().context("a folder has a name")?.to_string_lossy();
    let mut renewed = replace(&text, &RESULTS, &results(rows, &folder, drawn))
        .with_context(|| format!("{} has no place for results", page.display()))?;
    if let Some(host) = rows.iter().find_map(|row| row.machine.as_ref()) {
        renewed = replace(&renewed, &HOST, &format!("{}\n", host.describe()))
            .with_context(|| format!("{} has no place for the machine", page.display()))?;
    }
    fs::write(page, renewed).with_context(|| format!("cannot write {}", page.display()))
}

fn replace(page: &str, Marks { begin, end }: &Marks, new: &str) -> Option<String> {
    let (head, rest) = page.split_once(begin)?;
    let (_old, tail) = rest.split_once(end)?;
    Some(format!("{head}{begin}\n{new}{end}{tail}"))
}

fn results(rows: &[Row], folder: &str, drawn: &[String]) -> String {
    let mut text = format!("### The figures\n\n{}\n", figures::table(rows));
    for file in drawn {
        text += &format!("![{}]({folder}/{file})\n\n", file.trim_end_matches(".svg"));
    }
    let mut cases: Vec<_> = Vec::new();
    for row in rows.iter().filter(|row| row.scenario != SERIES && row.machine.is_none()) {
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
    use crate::machine::host::Host;

    #[test]
    fn only_what_is_between_the_marks_is_written_anew() {
        let Marks { begin, end } = RESULTS;
        let page = format!("before\n{begin}old\n{end}after\n");
        let row = Row { scenario: "a".to_owned(), target: "raw".to_owned(), ..Row::default() };
        let machine = Row::machine(Host::default());
        let results = results(&[machine, row], "benchmarks", &["cost.svg".to_owned()]);
        let new = replace(&page, &RESULTS, &results);
        let new = new.unwrap();
        assert!(new.starts_with("before\n") && new.ends_with("after\n") && !new.contains("old"));
        assert!(new.contains("![cost](benchmarks/cost.svg)") && new.contains("| raw |"), "{new}");
        assert!(!new.contains("machine"), "{new}");
        assert_eq!(replace("no marks", &RESULTS, ""), None);
    }

    #[test]
    fn a_page_names_the_machine() {
        let dir = tempfile::tempdir().unwrap();
        let page = dir.path().join("page");
        let marks = |Marks { begin, end }| format!("{begin}stale\n{end}");
        fs::write(&page, format!("# Page\n{}\n{}", marks(HOST), marks(RESULTS))).unwrap();
        let host = Host { cpu: "Fast 9000".to_owned(), cores: 2, ..Host::default() };
        renew(&page, dir.path(), &[Row::machine(host)], &[]).unwrap();
        let text = fs::read_to_string(&page).unwrap();
        assert!(text.contains("CPU: Fast 9000, 2 cores") && !text.contains("stale"), "{text}");
    }
}
