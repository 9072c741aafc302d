//! One scan of a JPEG: checks whether its data contain exactly the required blocks.

use std::ops::Range;

use super::bits::{Stop, Table};
use super::coefficients::Reader;
use super::frame::{Component, Frame};

/// The current Huffman tables, by their destinations.
#[derive(Debug, Default)]
pub(super) struct Tables {
    dc: [Option<Table>; 4],
    ac: [Option<Table>; 4],
}

impl Tables {
    /// Stores the tables of a DHT segment (T.81, B.2.4.2). `None` if they are invalid.
    pub(super) fn define(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&[head, ref counts @ ..], rest)) = segment.split_first_chunk::<17>() {
            let count = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, rest) = rest.split_at_checked(count)?;
            let class = if head >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *class.get_mut(usize::from(head & 15))? = Some(Table::new(counts, symbols)?);
            segment = rest;
        }
        segment.is_empty().then_some(())
    }
}

/// A scan header (T.81, B.2.3).
#[derive(Debug)]
pub(super) struct Scan {
    /// Indices of a component, its DC table and its AC table.
    planes: Vec<(usize, usize, usize)>,
    /// First and last coefficient.
    band: (usize, usize),
    /// Whether an earlier scan has sent the higher bits.
    refines: bool,
    /// Low bits that later scans will send.
    low: u8,
}

/// The place where a scan broke off.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) why: Why,
    /// The first row of pixels that can't be decoded.
    pub(super) row: usize,
}

/// Why a scan broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The file ends before its data do.
    FileEnds,
    /// A marker precedes the end of its data.
    Ends,
    /// Its data are invalid.
    Invalid,
    /// More data follow than its blocks need.
    LeftOver,
    /// A run of this many zero bytes, which no encoder writes.
    Blank(usize),
}

impl Why {
    fn new(stop: Stop, is_end_of_file: bool) -> Self {
        match stop {
            Stop::NoData if is_end_of_file => Self::FileEnds,
            Stop::NoData => Self::Ends,
            Stop::InvalidCode => Self::Invalid,
        }
    }
}

/// The number of meaningless bytes that may follow the last block: a few encoders write some before a marker.
const MAX_PADDING: usize = 4;

/// An upper bound, in bytes, of the zeros in one block. A longer run encodes flat blocks, or is a gap.
const MAX_ZEROS: usize = 32;

/// The result of reading a scan's data.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// The position of the next marker, or the end of the file.
    pub(super) end: usize,
    /// The meaningless bytes among the data.
    pub(super) strays: Vec<Range<usize>>,
}

impl Scan {
    /// Reads a scan header. `None` if it is invalid for the frame.
    pub(super) fn parse(segment: &[u8], frame: &Frame) -> Option<Self> {
        let (&count, rest) = segment.split_first()?;
        let (planes, rest) = rest.split_at_checked(2 * usize::from(count))?;
        let &[first, last, bits, ..] = rest else { return None };
        let plane = |&[id, tables]: &[u8; 2]| {
            let index = frame.components.iter().position(|component| component.id == id)?;
            Some((index, usize::from(tables >> 4 & 3), usize::from(tables & 3)))
        };
        let planes: Vec<_> = planes.as_chunks::<2>().0.iter().map(plane).collect::<Option<_>>()?;
        let (first, last) = if frame.is_progressive { (usize::from(first), usize::from(last)) } else { (0, 63) };
        let (refines, low) = if frame.is_progressive { (bits >> 4 != 0, bits & 15) } else { (false, 0) };
        let is_dc = first == 0 && last == 0;
        let is_allowed = match frame.is_progressive {
            true => is_dc || planes.len() == 1 && first > 0 && first <= last && last < 64,
            false => true,
        };
        (is_allowed && (1..=4).contains(&planes.len())).then_some(Self { planes, band: (first, last), refines, low })
    }

    /// Reads the scan's data, which begin at a position of the file, and records in the frame which parts have arrived.
    ///
    /// # Errors
    /// If the data don't contain exactly the scan's blocks.
    pub(super) fn walk(
        &self,
        frame: &mut Frame,
        tables: &Tables,
        restart_interval: usize,
        file: &[u8],
        start: usize,
    ) -> Result<Walked, Broken> {
        let (across, down, rows) = self.units(frame);
        let (total, mut unit, mut begin, mut walked) = (across * down, 0, start, Walked::default());
        let zeros_are_flat = frame.is_progressive || self.zeros_are_flat(tables);
        for restart in (0..8_u8).cycle() {
            let to = unit + if restart_interval == 0 { total } else { restart_interval.min(total - unit) };
            let mut reader = Reader::new(file, begin);
            let (done, outcome) = self.stretch(frame, tables, &mut reader, unit..to, across);
            let broken = |why| Broken { why, row: done / across * rows };
            check_stretch(&reader, outcome, file, begin, zeros_are_flat).map_err(broken)?;
            let (end, marker) = (reader.bits.position(), reader.bits.next_marker());
            if end < marker {
                walked.strays.push(end..marker);
            }
            unit = to;
            if unit == total {
                walked.end = marker;
                break;
            }
            check_restart(file, marker, restart).map_err(broken)?;
            begin = marker + 2;
        }
        self.record(frame);
        Ok(walked)
    }

    /// Whether zeros encode blocks equal to the previous one: no change in brightness, and no detail.
    fn zeros_are_flat(&self, tables: &Tables) -> bool {
        let is_nothing = |table: &Option<Table>| table.as_ref().is_some_and(|table| table.symbol_of_zeros() == 0);
        self.planes.iter().all(|&(_, dc, ac)| is_nothing(&tables.dc[dc]) && is_nothing(&tables.ac[ac]))
    }

    /// Units across and down, and the rows of pixels in each: in a scan of one component, each block is a unit.
    fn units(&self, frame: &Frame) -> (usize, usize, usize) {
        match self.planes[..] {
            [(index, ..)] => {
                let component = &frame.components[index];
                (component.blocks.0, component.blocks.1, frame.unit_rows / component.sampling.1)
            }
            _ => (frame.units.0, frame.units.1, frame.unit_rows),
        }
    }

    /// Reads a range of units. Returns the number of the unit at which it stopped, with the result.
    fn stretch(
        &self,
        frame: &mut Frame,
        tables: &Tables,
        reader: &mut Reader,
        units: Range<usize>,
        across: usize,
    ) -> (usize, Result<(), Stop>) {
        let (mut unit, to) = (units.start, units.end);
        while unit < to {
            if reader.end_of_band_run > 0 && !self.refines {
                let passed = reader.end_of_band_run.min(to - unit);
                reader.end_of_band_run -= passed;
                unit += passed;
                continue;
            }
            if let Err(stop) = self.unit(frame, tables, reader, unit % across, unit / across) {
                return (unit, Err(stop));
            }
            unit += 1;
        }
        (unit, Ok(()))
    }

    fn unit(&self, frame: &mut Frame, tables: &Tables, reader: &mut Reader, x: usize, y: usize) -> Result<(), Stop> {
        let is_alone = self.planes.len() == 1;
        for &(index, dc, ac) in &self.planes {
            let component = &mut frame.components[index];
            let (h, v) = if is_alone { (1, 1) } else { component.sampling };
            let (dc, ac) = (tables.dc[dc].as_ref(), tables.ac[ac].as_ref());
            for block in 0..h * v {
                let at = (y * v + block / h) * component.stride + x * h + block % h;
                self.block(component, at, dc, ac, reader, frame.is_progressive)?;
            }
        }
        Ok(())
    }

    fn block(
        &self,
        component: &mut Component,
        at: usize,
        dc: Option<&Table>,
        ac: Option<&Table>,
        reader: &mut Reader,
        is_progressive: bool,
    ) -> Result<(), Stop> {
        if !is_progressive {
            reader.dc(dc.ok_or(Stop::InvalidCode)?)?;
            return reader.all_ac(ac.ok_or(Stop::InvalidCode)?);
        }
        if self.band.0 == 0 {
            return if self.refines { reader.bits.skip(1) } else { reader.dc(dc.ok_or(Stop::InvalidCode)?) };
        }
        let ac = ac.ok_or(Stop::InvalidCode)?;
        let nonzero = component.nonzero.get_mut(at).ok_or(Stop::InvalidCode)?;
        if self.refines { reader.refine_ac(ac, self.band, nonzero) } else { reader.first_ac(ac, self.band, nonzero) }
    }

    fn record(&self, frame: &mut Frame) {
        for &(index, ..) in &self.planes {
            frame.components[index].missing_bits[self.band.0..=self.band.1].fill(Some(self.low));
        }
    }
}

/// Checks the data of a stretch that a reader has read from `begin`.
fn check_stretch(
    reader: &Reader,
    outcome: Result<(), Stop>,
    file: &[u8],
    begin: usize,
    zeros_are_flat: bool,
) -> Result<(), Why> {
    let (end, marker) = (reader.bits.position(), reader.bits.next_marker());
    // After a gap the data end too early, too late or are invalid: the gap is the better explanation.
    if !zeros_are_flat && let Some(blank) = longest_blank(&file[begin..end]) {
        return Err(Why::Blank(blank));
    }
    outcome.map_err(|stop| Why::new(stop, marker == file.len()))?;
    if reader.end_of_band_run > 0 {
        return Err(Why::Invalid);
    }
    // Any number of fill bytes may precede a marker.
    let fill_bytes = file[end..marker].iter().filter(|byte| **byte == 0xFF).count();
    if marker - end > MAX_PADDING + fill_bytes { Err(Why::LeftOver) } else { Ok(()) }
}

/// Checks that the marker at a position is the restart marker with this number.
fn check_restart(file: &[u8], marker: usize, number: u8) -> Result<(), Why> {
    match file.get(marker + 1) {
        Some(&code) if code == 0xD0 + number => Ok(()),
        Some(0xD0..=0xD7) => Err(Why::Invalid),
        Some(_) => Err(Why::Ends),
        None => Err(Why::FileEnds),
    }
}

/// The length of the longest run of zeros, if it exceeds that of any block.
fn longest_blank(data: &[u8]) -> Option<usize> {
    data.split(|byte| *byte != 0).map(<[u8]>::len).max().filter(|length| *length > MAX_ZEROS)
}
