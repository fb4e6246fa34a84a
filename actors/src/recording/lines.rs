//! Lines: reads a file line by line, never more of it into memory than it is allowed to hold.

use std::io::{BufRead, Read};
use std::path::Path;

use super::{Error, FILE_BYTES_MAX, LINE_BYTES_MAX};

/// How much is read.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// The longest line, without its end.
    pub(super) line_bytes: usize,
    /// The longest file.
    pub(super) file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { line_bytes: LINE_BYTES_MAX, file_bytes: FILE_BYTES_MAX }
    }
}

/// The lines of a file.
pub(super) struct Lines<'a, R> {
    reader: R,
    file: &'a Path,
    limits: Limits,
    number: usize,
    bytes: u64,
    line: Vec<u8>,
}

/// One line.
pub(super) struct Line<'a> {
    /// Which one, from 1.
    pub(super) number: usize,
    /// Whether it has its end. Only a file's last line can lack it, and whoever wrote that may have been
    /// interrupted.
    pub(super) is_whole: bool,
    bytes: &'a [u8],
}

impl<'a, R: BufRead> Lines<'a, R> {
    pub(super) fn new(reader: R, file: &'a Path, limits: Limits) -> Lines<'a, R> {
        Lines { reader, file, limits, number: 0, bytes: 0, line: Vec::new() }
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// Those of the file system, and lines and files that are longer than they may be.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, Error> {
        let Limits { line_bytes, file_bytes } = self.limits;
        self.number += 1;
        self.line.clear();
        // One byte more than a line may have: its end, or what says that it is too long.
        let mut reader = self.reader.by_ref().take(line_bytes as u64 + 1);
        let read = reader.read_until(b'\n', &mut self.line);
        let read = read.map_err(|error| Error::Io { file: self.file.into(), error })?;
        if read == 0 {
            return Ok(None);
        }
        self.bytes += read as u64;
        let is_whole = self.line.pop_if(|last| *last == b'\n').is_some();
        let wrong = |message| Err(Error::line(self.file, self.number, message));
        if self.line.len() > line_bytes {
            return wrong(format!("this line is longer than {line_bytes} bytes"));
        }
        if self.bytes > file_bytes {
            return wrong(format!("the recording is longer than {file_bytes} bytes; cut it here"));
        }
        Ok(Some(Line { number: self.number, is_whole, bytes: &self.line }))
    }
}

impl Line<'_> {
    /// What it says.
    ///
    /// # Errors
    /// What is wrong with it, where it is no text.
    pub(super) fn text(&self) -> Result<&str, String> {
        str::from_utf8(self.bytes).map_err(|error| {
            let column = error.valid_up_to() + 1;
            format!("this line is no UTF-8 text, from byte {column} on")
        })
    }
}
