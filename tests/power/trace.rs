//! What a traced process has written, in order: the lines of strace as operations on files.

use std::collections::HashMap;

use anyhow::{Context, Result};

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Op {
    /// Bytes were put into a file's cached pages.
    Write { file: String, at: usize, bytes: Vec<u8> },
    /// A file got another length.
    Truncate { file: String, len: usize },
    /// A name was removed.
    Unlink { file: String },
    /// A thread began to synchronise a file, or the directory.
    SyncBegins { file: String, thread: u32 },
    /// And the end of it.
    SyncEnds { file: String, thread: u32, is_ok: bool },
    /// The messages up to this one were acknowledged.
    Acked(u64),
}

/// What strace is to trace.
pub(crate) const CALLS: &str = "write,pwrite64,lseek,fsync,fdatasync,ftruncate,unlink";

/// Reads a trace of [`CALLS`], made with `-f -y` and whole strings.
pub(crate) fn parse(trace: &str) -> Result<Vec<Op>> {
    let mut parser = Parser::default();
    for line in trace.lines() {
        parser.line(line).with_context(|| format!("line {:?}", &line[..line.len().min(200)]))?;
    }
    Ok(parser.ops)
}

#[derive(Default)]
struct Parser {
    ops: Vec<Op>,
    /// Where each thread's file descriptors stand.
    offsets: HashMap<String, usize>,
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<()> {
        let (thread, rest) = line.split_once(' ').context("no thread")?;
        let (thread, rest) = (thread.parse()?, rest.trim_start());
        if rest.starts_with("+++") || rest.starts_with("---") {
            return Ok(());
        }
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let (call, result) = resumed.split_once(" resumed>").context("no end")?;
            if is_sync(call) {
                let begun =
                    |op: &&Op| matches!(op, Op::SyncBegins { thread: its, .. } if *its == thread);
                if let Some(Op::SyncBegins { file, .. }) = self.ops.iter().rev().find(begun) {
                    let (file, is_ok) = (file.clone(), returned(result) == Some(0));
                    self.ops.push(Op::SyncEnds { file, thread, is_ok });
                }
            }
            return Ok(());
        }
        let (call, args) = rest.split_once('(').context("no call")?;
        if call == "unlink" {
            let path = args.split('"').nth(1).context("no path")?;
            self.ops.push(Op::Unlink { file: name(path) });
            return Ok(());
        }
        let (file, args) =
            args.split_once('<').and_then(|(_fd, args)| args.split_once('>')).context("no file")?;
        self.call(thread, call, name(file), args)
    }

    fn call(&mut self, thread: u32, call: &str, file: String, args: &str) -> Result<()> {
        match call {
            "lseek" => {
                self.offsets.insert(file, argument(args, 1)?);
            }
            "ftruncate" => self.ops.push(Op::Truncate { len: argument(args, 1)?, file }),
            "write" | "pwrite64" => {
                let (bytes, rest) = string(args.split_once('"').context("no bytes")?.1)?;
                if let Some(acked) = bytes.strip_prefix(b"acked ") {
                    self.ops.push(Op::Acked(std::str::from_utf8(acked)?.trim().parse()?));
                    return Ok(());
                }
                let at = match call {
                    "pwrite64" => argument(rest, 2)?,
                    _ => self.offsets.get(&file).copied().unwrap_or_default(),
                };
                self.offsets.insert(file.clone(), at + bytes.len());
                self.ops.push(Op::Write { file, at, bytes });
            }
            call if is_sync(call) => {
                self.ops.push(Op::SyncBegins { file: file.clone(), thread });
                if let Some(result) = returned(args) {
                    self.ops.push(Op::SyncEnds { file, thread, is_ok: result == 0 });
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn is_sync(call: &str) -> bool {
    matches!(call, "fsync" | "fdatasync")
}

fn name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The number behind so many commas.
fn argument(args: &str, commas: usize) -> Result<usize> {
    let arg = args.split([',', ')', '<']).nth(commas).context("no argument")?;
    arg.trim().parse().with_context(|| format!("{arg:?} is no number"))
}

fn returned(rest: &str) -> Option<i64> {
    rest.rsplit_once("= ")?.1.split(' ').next()?.parse().ok()
}

/// A string behind its opening quote as C writes it, and what is behind its end.
fn string(text: &str) -> Result<(Vec<u8>, &str)> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'"' => return Ok((bytes, std::str::from_utf8(rest)?)),
            b'\\' => {
                let (byte, behind) = escape(rest)?;
                bytes.push(byte);
                rest = behind;
            }
            byte => bytes.push(*byte),
        }
    }
    anyhow::bail!("a string without an end")
}

fn escape(rest: &[u8]) -> Result<(u8, &[u8])> {
    let digits = rest.iter().take(3).take_while(|byte| (b'0'..b'8').contains(byte)).count();
    if digits > 0 {
        let octal = std::str::from_utf8(&rest[..digits])?;
        return Ok((u8::from_str_radix(octal, 8)?, &rest[digits..]));
    }
    let (first, behind) = rest.split_first().context("an escape without an end")?;
    let byte = match first {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'v' => 11,
        b'f' => 12,
        byte => *byte,
    };
    Ok((byte, behind))
}
