//! The lines of a file, one at a time and never longer than a limit.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::str;

use engine::hash;

/// The longest line in bytes; a longer one is passed over.
pub(super) const MAX_LINE_BYTES: usize = 65_536;

/// Reads lines.
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    number: u64,
    start: u64,
    end: u64,
}

/// A line of a file, by which it is found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Its number, from 1.
    pub(super) number: u64,
    /// Bytes before it.
    pub(super) start: u64,
    /// A hash of what it holds, or of its beginning if it is too long.
    pub(super) hash: u64,
}

impl<R: BufRead> Lines<R> {
    /// From the reader's beginning on, which is line 1.
    pub(super) fn new(reader: R) -> Lines<R> {
        Lines { reader, buffer: Vec::new(), number: 0, start: 0, end: 0 }
    }

    /// The line that was read last.
    pub(super) fn mark(&self) -> Mark {
        let hash = hash::of(content(&self.buffer, self.number));
        Mark { number: self.number, start: self.start, hash }
    }

    /// The next line that is not blank, without its end, or why it cannot be used; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<&str, String>>> {
        loop {
            self.buffer.clear();
            self.number += 1;
            self.start = self.end;
            // Two more than the limit, so that a line end does not count.
            let limit = MAX_LINE_BYTES as u64 + 2;
            let length = (&mut self.reader).take(limit).read_until(b'\n', &mut self.buffer)?;
            if length == 0 {
                self.number -= 1;
                return Ok(None);
            }
            self.end += length as u64;
            let ended = self.buffer.ends_with(b"\n");
            if content(&self.buffer, self.number).len() > MAX_LINE_BYTES {
                if !ended {
                    self.skip_line()?;
                }
                return Ok(Some(Err(format!("longer than {MAX_LINE_BYTES} bytes"))));
            }
            if !content(&self.buffer, self.number).trim_ascii().is_empty() {
                break;
            }
        }
        let line = str::from_utf8(content(&self.buffer, self.number));
        Ok(Some(line.map_err(|error| format!("invalid UTF-8 at byte {}", error.valid_up_to() + 1))))
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let part = self.reader.fill_buf()?;
            let (length, found) = match part.iter().position(|byte| *byte == b'\n') {
                Some(place) => (place + 1, true),
                None => (part.len(), part.is_empty()),
            };
            self.reader.consume(length);
            self.end += length as u64;
            if found {
                return Ok(());
            }
        }
    }
}

impl<R: BufRead + Seek> Lines<R> {
    /// Where it is: the number of bytes and of lines that were read.
    pub(super) fn place(&self) -> (u64, u64) {
        (self.end, self.number)
    }

    /// Goes to a place where it was before.
    pub(super) fn go_to(&mut self, (end, number): (u64, u64)) -> io::Result<()> {
        self.reader.seek(SeekFrom::Start(end))?;
        (self.end, self.number) = (end, number);
        Ok(())
    }

    /// Goes behind a line, if it is still the same; otherwise it stands anywhere, and returns false.
    pub(super) fn go_behind(&mut self, mark: Mark) -> io::Result<bool> {
        self.go_to((mark.start, mark.number.saturating_sub(1)))?;
        let is_there = self.next()?.is_some();
        Ok(is_there && self.mark() == mark)
    }
}

/// A line without its end, and without the byte order mark that some programs put first.
fn content(line: &[u8], number: u64) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if number == 1 { line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line) } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<(u64, Result<String, String>)> {
        let mut lines = Lines::new(text);
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            let line = line.map(str::to_owned);
            found.push((lines.number, line));
        }
        found
    }

    #[test]
    fn ends_marks_and_blanks() {
        let check = |text: &str, expected: &[(u64, &str)]| {
            let expected: Vec<_> = expected.iter().map(|(n, line)| (*n, Ok((*line).to_owned()))).collect();
            assert_eq!(read(text.as_bytes()), expected, "{text:?}");
        };
        check("", &[]);
        check("\n \r\n\t\n", &[]);
        check("a\nb", &[(1, "a"), (2, "b")]);
        check("a\r\n\r\nb\r\n", &[(1, "a"), (3, "b")]);
        check("\u{feff}a\n\u{feff}b\n", &[(1, "a"), (2, "\u{feff}b")]);
    }

    #[test]
    fn a_bad_line_costs_no_other() {
        let check = |bad: &[u8], expected: &str| {
            let text = [b"a\n", bad, b"\nb\n"].concat();
            let expected = [(1, Ok("a".into())), (2, Err(expected.into())), (3, Ok("b".into()))];
            assert_eq!(read(&text), expected);
        };
        check(b"x\xff", "invalid UTF-8 at byte 2");
        for too_many in [1, 2, 3, 100_000] {
            check(&vec![b'x'; MAX_LINE_BYTES + too_many], "longer than 65536 bytes");
        }
    }

    #[test]
    fn the_longest_line_is_read_whatever_its_end() {
        for end in ["", "\n", "\r\n"] {
            let text = "x".repeat(MAX_LINE_BYTES) + end;
            assert_eq!(read(text.as_bytes()), [(1, Ok("x".repeat(MAX_LINE_BYTES)))], "{end:?}");
        }
    }

    #[test]
    fn a_line_is_found_again_unless_it_changed() {
        let text = format!("\u{feff}a\n\nb\r\n{}\nc\n\nd", "x".repeat(2 * MAX_LINE_BYTES));
        let mut lines = Lines::new(io::Cursor::new(text.as_bytes()));
        let mut marks = vec![];
        while lines.next().unwrap().is_some() {
            marks.push(lines.mark());
        }
        assert_eq!(marks.iter().map(|mark| mark.number).collect::<Vec<_>>(), [1, 3, 4, 5, 7]);
        for (mark, after) in marks.iter().zip(marks[1..].iter().map(Some).chain([None])) {
            assert!(lines.go_behind(*mark).unwrap(), "{mark:?}");
            assert_eq!(lines.next().unwrap().is_some(), after.is_some());
            assert!(after.is_none_or(|after| lines.mark() == *after), "{after:?}");
        }

        let changed = text.replace('b', "B");
        let mut lines = Lines::new(io::Cursor::new(changed.as_bytes()));
        assert!(lines.go_behind(marks[0]).unwrap());
        assert!(!lines.go_behind(marks[1]).unwrap());
        assert!(!Lines::new(io::Cursor::new("a\n")).go_behind(marks[4]).unwrap(), "the file is shorter");
    }
}
