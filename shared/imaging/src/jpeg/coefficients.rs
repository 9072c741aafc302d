//! The coefficients of the blocks in a scan. They are read only to find their end, so their values are skipped.

use super::bits::{Bits, Stop, Table};

/// Reads the blocks of a scan.
pub(super) struct Reader<'a> {
    pub(super) bits: Bits<'a>,
    /// The number of further blocks without (more) coefficients in the band.
    pub(super) end_of_band_run: usize,
}

impl<'a> Reader<'a> {
    /// Reads from a position in the file.
    pub(super) fn new(file: &'a [u8], start: usize) -> Self {
        Self { bits: Bits::new(file, start), end_of_band_run: 0 }
    }

    /// The DC coefficient of a block (T.81, F.2.2.1).
    pub(super) fn dc(&mut self, table: &Table) -> Result<(), Stop> {
        let size = self.bits.symbol(table)?;
        if size > 16 {
            return Err(Stop::InvalidCode);
        }
        self.bits.skip(size.into())
    }

    /// The AC coefficients of a sequential block (T.81, F.2.2.2).
    pub(super) fn all_ac(&mut self, table: &Table) -> Result<(), Stop> {
        let mut k = 1;
        while k < 64 {
            let symbol = self.bits.symbol(table)?;
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            match (run, size) {
                (15, 0) => k += 16,
                (_, 0) => return Ok(()),
                _ => {
                    k += run + 1;
                    self.bits.number(size)?;
                }
            }
        }
        if k > 64 { Err(Stop::InvalidCode) } else { Ok(()) }
    }

    /// A band of coefficients that are all missing so far (T.81, G.1.2.2).
    pub(super) fn first_ac(
        &mut self,
        table: &Table,
        (first, last): (usize, usize),
        nonzero: &mut u64,
    ) -> Result<(), Stop> {
        let mut k = first;
        while k <= last {
            let symbol = self.bits.symbol(table)?;
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            match (run, size) {
                (15, 0) => k += 16,
                (_, 0) => {
                    self.end_of_band_run = (1 << run) - 1 + self.bits.number(run as u32)? as usize;
                    return Ok(());
                }
                _ => {
                    k += run;
                    if k > last {
                        return Err(Stop::InvalidCode);
                    }
                    self.bits.number(size)?;
                    *nonzero |= 1 << k;
                    k += 1;
                }
            }
        }
        if k > last + 1 { Err(Stop::InvalidCode) } else { Ok(()) }
    }

    /// One more bit of a band of coefficients (T.81, G.1.2.3).
    pub(super) fn refine_ac(
        &mut self,
        table: &Table,
        (first, last): (usize, usize),
        nonzero: &mut u64,
    ) -> Result<(), Stop> {
        let known = *nonzero;
        let mut k = first;
        while k <= last && self.end_of_band_run == 0 {
            let symbol = self.bits.symbol(table)?;
            let (run, size) = (u32::from(symbol >> 4), symbol & 15);
            match (run, size) {
                (0..15, 0) => {
                    self.end_of_band_run = (1 << run) + self.bits.number(run)? as usize;
                    break;
                }
                (_, 0) => {}
                (_, 1) => self.bits.skip(1)?,
                _ => return Err(Stop::InvalidCode),
            }
            let mut zeros = run;
            while k <= last {
                if known >> k & 1 == 1 {
                    self.bits.skip(1)?;
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                k += 1;
            }
            if size == 1 {
                if k > last {
                    return Err(Stop::InvalidCode);
                }
                *nonzero |= 1 << k;
            }
            k += 1;
        }
        if self.end_of_band_run > 0 {
            self.end_of_band_run -= 1;
            if k <= last {
                let rest = known >> k & (u64::MAX >> (63 - (last - k)));
                self.bits.skip(rest.count_ones())?;
            }
        }
        Ok(())
    }
}
