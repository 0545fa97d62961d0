//! What both twins promise.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};

use super::*;

#[test]
fn a_name_leads_to_the_file_that_was_opened_also_by_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let opened = File::create(dir.path().join("a")).unwrap().metadata().unwrap();
    symlink("a", dir.path().join("link")).unwrap();
    let inside = File::open(dir.path()).unwrap();
    for name in ["a", "link"] {
        assert_eq!(device_and_inode(&inside, name), Ok((opened.dev(), opened.ino())), "{name}");
    }
    fs::write(dir.path().join("b"), "").unwrap();
    assert_ne!(device_and_inode(&inside, "b").unwrap().1, opened.ino());
    assert_eq!(device_and_inode(&inside, "c"), Err(Errno::NOENT));
}
