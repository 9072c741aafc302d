//! The frame of a JPEG: its size, its components, and the data received so far.

use super::super::decode_error::{DecodeError, check_dimensions};

/// A component: one of the planes that make up the image.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) id: u8,
    /// Columns and rows of blocks in a unit of an interleaved scan.
    pub(super) sampling: (usize, usize),
    /// Columns and rows of blocks that show the image.
    pub(super) blocks: (usize, usize),
    /// Columns of blocks with those that only fill the last unit of a line.
    pub(super) stride: usize,
    /// For each coefficient, the number of low bits that are still missing. `None` if all of it is missing.
    pub(super) missing_bits: [Option<u8>; 64],
    /// For each block, a bit for each coefficient that is not zero so far. Only progressive frames need it.
    pub(super) nonzero: Vec<u64>,
}

/// A frame of Huffman-coded DCT blocks.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) is_progressive: bool,
    pub(super) height: u32,
    pub(super) components: Vec<Component>,
    /// Columns and rows of units in an interleaved scan.
    pub(super) units: (usize, usize),
    /// Rows of pixels in a unit.
    pub(super) unit_rows: usize,
}

impl Frame {
    /// Reads a frame header (T.81, B.2.2). `None` if it is invalid, which the decoder then reports.
    ///
    /// # Errors
    /// If the image is too large or too small.
    pub(super) fn parse(segment: &[u8], is_progressive: bool) -> Result<Option<Self>, DecodeError> {
        let &[_, high, low, wide, narrow, count, ref rest @ ..] = segment else { return Ok(None) };
        let (height, width) = (u16::from_be_bytes([high, low]), u16::from_be_bytes([wide, narrow]));
        let planes: Vec<(u8, usize, usize)> = rest
            .as_chunks::<3>()
            .0
            .iter()
            .map(|[id, sampling, _]| (*id, usize::from(sampling >> 4), usize::from(sampling & 15)))
            .collect();
        let is_valid = |&(_, h, v): &(u8, usize, usize)| (1..=4).contains(&h) && (1..=4).contains(&v);
        if width == 0 || height == 0 || planes.len() != usize::from(count) || !(1..=4).contains(&count) {
            return Ok(None);
        }
        if !planes.iter().all(is_valid) {
            return Ok(None);
        }
        check_dimensions(width.into(), height.into())?;
        let most = planes.iter().fold((1, 1), |(h, v), plane| (plane.1.max(h), plane.2.max(v)));
        let units = (usize::from(width).div_ceil(8 * most.0), usize::from(height).div_ceil(8 * most.1));
        let component = |(id, h, v): (u8, usize, usize)| {
            let stride = units.0 * h;
            Component {
                id,
                sampling: (h, v),
                blocks: ((usize::from(width) * h).div_ceil(8 * most.0), (usize::from(height) * v).div_ceil(8 * most.1)),
                stride,
                missing_bits: [None; 64],
                nonzero: if is_progressive { vec![0; stride * units.1 * v] } else { Vec::new() },
            }
        };
        let components = planes.into_iter().map(component).collect();
        Ok(Some(Self { is_progressive, height: height.into(), components, units, unit_rows: 8 * most.1 }))
    }

    /// Whether all bits of every coefficient have arrived.
    pub(super) fn is_complete(&self) -> bool {
        self.components.iter().all(|component| component.missing_bits.iter().all(|bits| *bits == Some(0)))
    }
}
