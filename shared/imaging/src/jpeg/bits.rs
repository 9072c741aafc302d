//! Reads the bits of an entropy-coded segment, and the Huffman codes in them (ITU-T T.81, annexes C and F.2.2).

/// One table look-up decodes codes up to this length.
const SHORT: u32 = 9;

/// Why a reader stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The segment ends here.
    NoData,
    /// The following bits are no valid code.
    InvalidCode,
}

/// A Huffman table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// For the next [`SHORT`] bits: the length of their code, and its symbol. Length 0 stands for a longer code.
    short: [(u8, u8); 1 << SHORT],
    /// For each length: one more than its last code, padded to 16 bits.
    limits: [u32; 17],
    /// For each length: the offset from a code to its index among the symbols.
    offsets: [i32; 17],
    symbols: [u8; 256],
}

impl Table {
    /// The table with this many codes of each length from 1 to 16 bits. `None` if no such code exists.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut table = Self { short: [(0, 0); 1 << SHORT], limits: [0; 17], offsets: [0; 17], symbols: [0; 256] };
        table.symbols.get_mut(..symbols.len())?.copy_from_slice(symbols);
        let (mut code, mut index) = (0_u32, 0_usize);
        for (length, &count) in (1_u32..).zip(counts) {
            table.offsets[length as usize] = index as i32 - code as i32;
            for &symbol in symbols.get(index..index + usize::from(count))? {
                if length <= SHORT {
                    let first = (code << (SHORT - length)) as usize;
                    table.short.get_mut(first..first + (1 << (SHORT - length)))?.fill((length as u8, symbol));
                }
                code += 1;
            }
            index += usize::from(count);
            if code > 1 << length {
                return None;
            }
            table.limits[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Some(table)
    }

    /// The symbol of a code of zeros, which is the first of the shortest codes.
    pub(super) fn symbol_of_zeros(&self) -> u8 {
        self.symbols[0]
    }
}

/// Reads a segment bit by bit, from a position in the file to the next marker or the file's end.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    file: &'a [u8],
    /// The position of the first byte that is not in the buffer yet.
    at: usize,
    buffer: u64,
    count: u32,
    at_end: bool,
}

impl<'a> Bits<'a> {
    pub(super) fn new(file: &'a [u8], at: usize) -> Self {
        Self { file, at, buffer: 0, count: 0, at_end: false }
    }

    /// The symbol whose code comes next.
    pub(super) fn symbol(&mut self, table: &Table) -> Result<u8, Stop> {
        if self.count < 16 {
            self.refill();
        }
        let next = self.peek(16);
        let (length, symbol) = table.short[(next >> (16 - SHORT)) as usize];
        if length != 0 {
            self.drop(u32::from(length))?;
            return Ok(symbol);
        }
        let length = (SHORT + 1..=16).find(|&length| next < table.limits[length as usize]).ok_or(self.no_code())?;
        self.drop(length)?;
        let index = (next >> (16 - length)) as i32 + table.offsets[length as usize];
        table.symbols.get(index as usize).copied().ok_or(Stop::InvalidCode)
    }

    /// The next bits as a number; at most 16.
    pub(super) fn number(&mut self, bits: u32) -> Result<u32, Stop> {
        if bits == 0 {
            return Ok(0);
        }
        if self.count < bits {
            self.refill();
        }
        let number = self.peek(bits);
        self.drop(bits)?;
        Ok(number)
    }

    /// Skips up to 64 bits.
    pub(super) fn skip(&mut self, bits: u32) -> Result<(), Stop> {
        let mut bits = bits;
        while bits > 0 {
            let some = bits.min(16);
            self.number(some)?;
            bits -= some;
        }
        Ok(())
    }

    /// The end of the bytes that were read, including a partly read one.
    pub(super) fn position(&self) -> usize {
        (0..self.count / 8).fold(self.at, |at, _| if self.file[..at].ends_with(&[0xFF, 0]) { at - 2 } else { at - 1 })
    }

    /// The position of the next marker, or the end of the file.
    pub(super) fn next_marker(&self) -> usize {
        let is_marker = |pair: &[u8]| pair[0] == 0xFF && pair[1] != 0 && pair[1] != 0xFF;
        let rest = &self.file[self.at..];
        rest.windows(2).position(is_marker).map_or(self.file.len(), |distance| self.at + distance)
    }

    /// The error for bits that are no code: padding if the segment ends with them.
    fn no_code(&self) -> Stop {
        if self.count < 16 { Stop::NoData } else { Stop::InvalidCode }
    }

    /// The next bits; after the end they are zeros.
    fn peek(&self, bits: u32) -> u32 {
        let aligned = if self.count == 0 { 0 } else { self.buffer << (64 - self.count) };
        (aligned >> (64 - bits)) as u32
    }

    fn drop(&mut self, bits: u32) -> Result<(), Stop> {
        self.count = self.count.checked_sub(bits).ok_or(Stop::NoData)?;
        Ok(())
    }

    fn refill(&mut self) {
        while self.count <= 56 && !self.at_end {
            let Some(&byte) = self.file.get(self.at) else {
                self.at_end = true;
                return;
            };
            let mut next = self.at + 1;
            if byte == 0xFF {
                // A zero after 0xFF marks it as data; several bytes 0xFF count as one, as in other decoders.
                while self.file.get(next) == Some(&0xFF) {
                    next += 1;
                }
                if self.file.get(next) != Some(&0) {
                    self.at_end = true;
                    return;
                }
                next += 1;
            }
            self.buffer = self.buffer << 8 | u64::from(byte);
            self.count += 8;
            self.at = next;
        }
    }
}
