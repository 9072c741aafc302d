//! Checks whether a JPEG file contains its complete image.
//!
//! A decoder replaces lost parts by gray, or by random content after a gap, and reports no error. This module therefore
//! reads the data of every scan first, down to the Huffman codes: they must contain exactly the blocks of the image. It
//! computes no pixels.

mod bits;
mod coefficients;
mod frame;
mod scan;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use super::decode_error::DecodeError;
use frame::Frame;
use scan::{Broken, Scan, Tables, Why};

/// The maximum number of scans, more than any encoder writes. Each scan takes time, however few bytes it has.
const MAX_SCANS: usize = 100;

/// Prepares a file for the decoder: without stray bytes, and with an end-of-image marker.
///
/// # Errors
/// If a part of the image is lost. The decoder reports other faults.
pub(super) fn whole(file: &[u8]) -> Result<Cow<'_, [u8]>, DecodeError> {
    let mut walk =
        Walk { file, at: 2, strays: Vec::new(), frame: None, tables: Tables::default(), interval: 0, scans: 0 };
    Ok(match walk.run()? {
        End::Marker if walk.strays.is_empty() => Cow::Borrowed(file),
        End::Marker => Cow::Owned(walk.without_strays(&[])),
        End::OfFile => Cow::Owned(walk.without_strays(&[0xFF, END_OF_IMAGE])),
        End::Unsupported => Cow::Borrowed(file),
    })
}

const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;

/// Where the walk through a file ended.
enum End {
    /// At an end-of-image marker.
    Marker,
    /// At the end of a file that contains the complete image but no such marker.
    OfFile,
    /// At data that this module can't interpret.
    Unsupported,
}

struct Walk<'a> {
    file: &'a [u8],
    at: usize,
    /// Bytes outside of any segment.
    strays: Vec<Range<usize>>,
    frame: Option<Frame>,
    tables: Tables,
    interval: usize,
    scans: usize,
}

impl Walk<'_> {
    /// Walks from marker to marker (T.81, annex B).
    fn run(&mut self) -> Result<End, DecodeError> {
        while let Some(marker) = self.next_marker() {
            match marker {
                END_OF_IMAGE => return self.is_complete().then_some(End::Marker).ok_or(DecodeError::Truncated),
                START_OF_IMAGE => return Err(damaged("a second image begins in the middle of it")),
                // Markers without a segment; between scans they have no meaning.
                0x01 | 0xD0..=0xD7 => self.strays.push(self.at - 2..self.at),
                _ => {
                    let segment = self.segment()?;
                    if !self.take(marker, segment)? {
                        return Ok(End::Unsupported);
                    }
                }
            }
        }
        self.is_complete().then_some(End::OfFile).ok_or(DecodeError::Truncated)
    }

    /// The next marker's code. Any bytes before it are stray.
    fn next_marker(&mut self) -> Option<u8> {
        let is_marker = |pair: &[u8]| pair[0] == 0xFF && pair[1] != 0 && pair[1] != 0xFF;
        let rest = self.file.get(self.at..)?;
        let found = rest.windows(2).position(is_marker);
        let strays = self.at..self.at + found.unwrap_or(rest.len());
        self.at = strays.end + 2;
        if !strays.is_empty() {
            self.strays.push(strays);
        }
        Some(rest[found? + 1])
    }

    /// The segment of the last marker.
    fn segment(&mut self) -> Result<Range<usize>, DecodeError> {
        let &[high, low] = self.file.get(self.at..self.at + 2).ok_or(DecodeError::Truncated)? else {
            return Err(DecodeError::Truncated);
        };
        let segment = self.at + 2..self.at + usize::from(u16::from_be_bytes([high, low]));
        if segment.start > segment.end {
            return Err(damaged("a segment has no length"));
        }
        if segment.end > self.file.len() {
            return Err(DecodeError::Truncated);
        }
        self.at = segment.end;
        Ok(segment)
    }

    /// Processes a segment. Returns whether the walk can continue after it.
    fn take(&mut self, marker: u8, segment: Range<usize>) -> Result<bool, DecodeError> {
        const DEFINE_TABLES: u8 = 0xC4;
        const DEFINE_RESTART: u8 = 0xDD;
        const START_OF_SCAN: u8 = 0xDA;
        let content = &self.file[segment];
        match marker {
            DEFINE_TABLES => {
                self.tables.define(content).ok_or_else(|| damaged("a Huffman table is invalid"))?;
            }
            0xC0..=0xC2 if self.frame.is_none() => {
                self.frame = Frame::parse(content, marker == 0xC2)?;
                return Ok(self.frame.is_some());
            }
            // Lossless, hierarchical and arithmetic coding: the decoder supports none of them.
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCF => return Ok(false),
            DEFINE_RESTART => {
                let &[high, low] = content else { return Ok(false) };
                self.interval = u16::from_be_bytes([high, low]).into();
            }
            START_OF_SCAN => self.scan(content)?,
            _ => {}
        }
        Ok(true)
    }

    fn scan(&mut self, header: &[u8]) -> Result<(), DecodeError> {
        let frame = self.frame.as_mut().ok_or_else(|| damaged("its image data have no size"))?;
        let scan = Scan::parse(header, frame).ok_or_else(|| damaged("a scan's header is invalid"))?;
        self.scans += 1;
        if self.scans > MAX_SCANS {
            return Err(damaged("it has more than 100 scans"));
        }
        let (is_progressive, height) = (frame.is_progressive, frame.height);
        let walked = scan.walk(frame, &self.tables, self.interval, self.file, self.at);
        let walked = walked.map_err(|broken| reason(&broken, height, is_progressive))?;
        self.strays.extend(walked.strays);
        self.at = walked.end;
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.frame.as_ref().is_some_and(Frame::is_complete)
    }

    fn without_strays(&self, ending: &[u8]) -> Vec<u8> {
        let mut clean = Vec::with_capacity(self.file.len() + ending.len());
        let mut at = 0;
        for stray in &self.strays {
            clean.extend(&self.file[at..stray.start]);
            at = stray.end;
        }
        clean.extend(&self.file[at..]);
        clean.extend(ending);
        clean
    }
}

fn damaged(what: &str) -> DecodeError {
    DecodeError::Damaged(what.to_owned())
}

fn reason(broken: &Broken, height: u32, is_progressive: bool) -> DecodeError {
    let row = (broken.row as u32).min(height);
    match broken.why {
        Why::FileEnds => DecodeError::Truncated,
        Why::Ends if is_progressive => DecodeError::Truncated,
        Why::Ends => DecodeError::RowsMissing { rows: row, height },
        Why::Invalid => damaged(&format!("its image data are invalid from row {row} of {height} on")),
        Why::Blank(bytes) => damaged(&format!("{bytes} bytes of its image data are blank")),
        Why::LeftOver => damaged(&format!("its image data are inconsistent above row {row} of {height}")),
    }
}
