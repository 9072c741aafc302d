//! All that the model says of one image, made into one observation.

use domain::assessment::Observation;

use super::image_batch::Pass;

/// What has been said of one image.
#[derive(Debug, Clone, Default)]
pub(super) struct MergedPasses {
    first: Option<Observation>,
    second: Option<Observation>,
    deciding: Option<Observation>,
    /// Why it is not asked for any more.
    given_up: Option<String>,
}

impl MergedPasses {
    /// Notes what a pass showed.
    pub(super) fn note(&mut self, pass: Pass, observation: Observation) {
        let seen = match pass {
            Pass::First => &mut self.first,
            Pass::Second => &mut self.second,
            Pass::Deciding => &mut self.deciding,
        };
        *seen = Some(observation);
    }

    /// Notes why the image won't be judged.
    pub(super) fn give_up(&mut self, reason: &str) {
        self.given_up.get_or_insert_with(|| reason.to_owned());
    }

    /// Whether two passes disagree on the kind and a third must decide.
    pub(super) fn are_undecided(&self) -> bool {
        let kinds = (self.first.as_ref().map(|seen| seen.kind), self.second.as_ref().map(|seen| seen.kind));
        self.given_up.is_none() && self.deciding.is_none() && matches!(kinds, (Some(one), Some(other)) if one != other)
    }

    /// The one observation, or why there is none.
    ///
    /// Of two passes the qualities are averaged, halves rounded down, and the faults of both count; the reason is the
    /// severer pass's. Where they disagree on the kind, the deciding pass's kind holds: it is the majority, or, where
    /// all three differ, what was seen at the largest size.
    pub(super) fn joined(self, passes: u8) -> Result<Observation, String> {
        if let Some(reason) = self.given_up {
            return Err(reason);
        }
        let not_asked = || "the model was not asked".to_owned();
        let first = self.first.ok_or_else(not_asked)?;
        if passes < 2 {
            return Ok(first);
        }
        let second = self.second.ok_or_else(not_asked)?;
        let kind = match self.deciding {
            Some(deciding) => deciding.kind,
            None if first.kind == second.kind => first.kind,
            None => return Err(not_asked()),
        };
        let mut flags = [first.flags, second.flags].concat();
        flags.sort_unstable();
        flags.dedup();
        let quality = first.quality.midpoint(second.quality);
        let reason = if second.quality < first.quality { second.reason } else { first.reason };
        Ok(Observation { kind, quality, flags, reason })
    }
}

#[cfg(test)]
mod tests {
    use domain::assessment::Flag;
    use domain::kind::Kind;

    use super::*;

    fn seen(kind: Kind, quality: u8, flags: &[Flag]) -> Observation {
        Observation { kind, quality, flags: flags.to_vec(), reason: format!("Worth {quality}.") }
    }

    fn merged(first: Observation, second: Observation) -> MergedPasses {
        MergedPasses { first: Some(first), second: Some(second), ..MergedPasses::default() }
    }

    #[test]
    fn two_looks_are_averaged_downwards_and_their_faults_united() {
        let kind = Kind::Photorealistic;
        let merged = merged(seen(kind, 9, &[Flag::Symmetrical]), seen(kind, 4, &[Flag::LookingAtCamera]));
        assert!(!merged.are_undecided());
        let joined = merged.joined(2).unwrap();
        assert_eq!(joined.flags, [Flag::LookingAtCamera, Flag::Symmetrical]);
        assert_eq!((joined.quality, joined.reason.as_str()), (6, "Worth 4."));
        let plain = self::merged(seen(kind, 8, &[]), seen(kind, 7, &[]));
        assert_eq!(plain.joined(2).unwrap().quality, 7);
    }

    #[test]
    fn a_third_look_decides_on_the_kind_alone() {
        let mut merged = merged(seen(Kind::Photorealistic, 8, &[]), seen(Kind::BwStylized, 6, &[]));
        assert!(merged.are_undecided());
        merged.note(Pass::Deciding, seen(Kind::BwStylized, 1, &[Flag::Blurry]));
        assert!(!merged.are_undecided());
        let joined = merged.joined(2).unwrap();
        assert_eq!((joined.kind, joined.quality, joined.flags), (Kind::BwStylized, 7, vec![]));
    }

    #[test]
    fn an_image_with_a_look_missing_is_not_judged() {
        let half = MergedPasses { first: Some(seen(Kind::BwStylized, 8, &[])), ..MergedPasses::default() };
        assert!(half.clone().joined(1).is_ok());
        assert!(half.joined(2).is_err());
        assert!(merged(seen(Kind::Photorealistic, 8, &[]), seen(Kind::BwStylized, 6, &[])).joined(2).is_err());
    }
}
