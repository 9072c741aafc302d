//! Merges the passes of one image into one observation.

use domain::assessment::Observation;

use super::image_batch::Pass;

/// The observations of one image.
#[derive(Debug, Clone, Default)]
pub(super) struct MergedPasses {
    first: Option<Observation>,
    second: Option<Observation>,
    deciding: Option<Observation>,
    /// The reason why the image is not shown any more, and stays unassessed.
    abandoned: Option<String>,
}

impl MergedPasses {
    /// Stores the observation of a pass.
    pub(super) fn record(&mut self, pass: Pass, observation: Observation) {
        let slot = match pass {
            Pass::First => &mut self.first,
            Pass::Second => &mut self.second,
            Pass::Deciding => &mut self.deciding,
        };
        *slot = Some(observation);
    }

    /// Leaves the image unassessed. The first reason counts.
    pub(super) fn abandon(&mut self, reason: &str) {
        self.abandoned.get_or_insert_with(|| reason.to_owned());
    }

    /// Whether two passes disagree on the kind, so that a deciding pass is needed.
    pub(super) fn is_disputed(&self) -> bool {
        let kind = |pass: &Option<Observation>| pass.as_ref().map(|observation| observation.kind);
        let disagree = matches!((kind(&self.first), kind(&self.second)), (Some(one), Some(other)) if one != other);
        self.abandoned.is_none() && self.deciding.is_none() && disagree
    }

    /// The merged observation, or the reason why there is none.
    ///
    /// The quality is the mean of two passes, rounded down; the flags of both count; the reason is that of the lower
    /// rating. If the two passes disagree on the kind, the kind of the deciding pass holds: it is the majority, or if
    /// all three differ, the observation at the largest size.
    pub(super) fn observation(self, passes: u8) -> Result<Observation, String> {
        if let Some(reason) = self.abandoned {
            return Err(reason);
        }
        let not_shown = || "it was not shown to the model".to_owned();
        let first = self.first.ok_or_else(not_shown)?;
        if passes < 2 {
            return Ok(first);
        }
        let second = self.second.ok_or_else(not_shown)?;
        let kind = match self.deciding {
            Some(deciding) => deciding.kind,
            None if first.kind == second.kind => first.kind,
            None => return Err(not_shown()),
        };
        let mut flags = [first.flags, second.flags].concat();
        flags.sort_unstable();
        flags.dedup();
        let quality = first.quality.midpoint(second.quality);
        let reason = if second.quality < first.quality { second.reason } else { first.reason };
        Ok(Observation { kind, quality, flags, reason, content: first.content.merged(second.content) })
    }
}

#[cfg(test)]
mod tests {
    use domain::assessment::Flag;
    use domain::content::Content;
    use domain::kind::Kind;

    use super::*;

    fn seen(kind: Kind, quality: u8, flags: &[Flag]) -> Observation {
        Observation {
            kind,
            quality,
            flags: flags.to_vec(),
            reason: format!("Worth {quality}."),
            content: Content::default(),
        }
    }

    fn two_passes(first: Observation, second: Observation) -> MergedPasses {
        MergedPasses { first: Some(first), second: Some(second), ..MergedPasses::default() }
    }

    #[test]
    fn two_passes_average_down_and_unite_flags() {
        let kind = Kind::Photorealistic;
        let flagged = two_passes(seen(kind, 9, &[Flag::Symmetrical]), seen(kind, 4, &[Flag::LookingAtCamera]));
        assert!(!flagged.is_disputed());
        let merged = flagged.observation(2).unwrap();
        assert_eq!(merged.flags, [Flag::LookingAtCamera, Flag::Symmetrical]);
        assert_eq!((merged.quality, merged.reason.as_str()), (6, "Worth 4."));
        let plain = two_passes(seen(kind, 8, &[]), seen(kind, 7, &[]));
        assert_eq!(plain.observation(2).unwrap().quality, 7);
    }

    #[test]
    fn deciding_pass_determines_only_the_kind() {
        let mut disputed = two_passes(seen(Kind::Photorealistic, 8, &[]), seen(Kind::BwStylized, 6, &[]));
        assert!(disputed.is_disputed());
        disputed.record(Pass::Deciding, seen(Kind::BwStylized, 1, &[Flag::Blurry]));
        assert!(!disputed.is_disputed());
        let merged = disputed.observation(2).unwrap();
        assert_eq!((merged.kind, merged.quality, merged.flags), (Kind::BwStylized, 7, vec![]));
    }

    #[test]
    fn image_with_a_missing_pass_is_unassessed() {
        let half = MergedPasses { first: Some(seen(Kind::BwStylized, 8, &[])), ..MergedPasses::default() };
        assert!(half.clone().observation(1).is_ok());
        assert!(half.observation(2).is_err());
        let disputed = two_passes(seen(Kind::Photorealistic, 8, &[]), seen(Kind::BwStylized, 6, &[]));
        assert!(disputed.observation(2).is_err());
    }
}
