use super::*;

fn counts(framing: [u32; 4], angle: [u32; 4]) -> ViewCounts {
    ViewCounts { framing, angle }
}

fn content(framing: Option<Framing>, angle: Option<Angle>) -> Content {
    Content { framing, angle, ..Content::default() }
}

#[test]
fn default_shares_of_twenty_images() {
    let wanted = ViewShares::default().counts(20);
    assert_eq!(wanted, counts([6, 8, 4, 2], [5, 8, 5, 2]));
}

#[test]
fn error_of_wrong_four_shares_names_the_remedy() {
    for text in ["65/20/15", "30/40/20/11", "a/b/c/d", "", "30/40/20/10/0", "4294967295/1/50/50"] {
        let error = text.parse::<FourShares>().unwrap_err().to_string();
        assert!(error.contains("such as 30/40/20/10"), "{error}");
    }
    assert_eq!("0/ 100/0/0".parse::<FourShares>().unwrap().to_string(), "0/100/0/0");
}

#[test]
fn unknown_view_counts_for_nothing() {
    let (front, unknown) = (content(Some(Framing::Wide), Some(Angle::Front)), Content::default());
    let tally = ViewCounts::tally([&front, &unknown, &content(None, Some(Angle::Front))]);
    assert_eq!(tally, counts([0, 0, 0, 1], [2, 0, 0, 0]));
    let needs = Needs { has: tally, wanted: counts([1; 4], [2; 4]) };
    assert_eq!(needs.loss(None, None), 0);
}

#[test]
fn loss_of_a_rare_view_weighs_most() {
    let needs = Needs { has: counts([9, 8, 4, 2], [6, 8, 5, 1]), wanted: ViewShares::default().counts(20) };
    let loss = |framing, angle| needs.loss(Some(framing), Some(angle));
    assert_eq!(loss(Framing::CloseUp, Angle::Front), 0, "more than wanted");
    assert_eq!(loss(Framing::CloseUp, Angle::ThreeQuarter), 125);
    assert_eq!(loss(Framing::Medium, Angle::Profile), 125 + 200);
    assert_eq!(loss(Framing::Wide, Angle::Front), 500);
    assert_eq!(loss(Framing::CloseUp, Angle::Back), 1500, "the last of two wanted ones");
}

#[test]
fn gain_is_what_the_loss_of_the_same_view_was() {
    let wanted = ViewShares::default().counts(20);
    let mut needs = Needs { has: counts([6, 3, 0, 2], [5, 8, 1, 0]), wanted };
    for (framing, angle) in Framing::ALL.into_iter().zip(Angle::ALL) {
        let gain = needs.gain(framing, angle);
        needs.has.count(Some(framing), Some(angle));
        assert_eq!(needs.loss(Some(framing), Some(angle)), gain, "{framing} {angle}");
    }
}

#[test]
fn set_of_unknown_views_needs_the_shares_of_new_ones() {
    let needs = ViewShares::default().needs(ViewCounts::default(), 10);
    assert_eq!(needs.wanted, counts([3, 4, 2, 1], [3, 4, 2, 1]));
    let kept = counts([6, 0, 4, 2], [5, 7, 0, 0]);
    assert_eq!(ViewShares::default().needs(kept, 8), Needs { has: kept, wanted: counts([6, 8, 4, 2], [5, 8, 5, 2]) });
}

#[test]
fn coverage_is_shown_as_far_as_it_is_known() {
    let wanted = ViewShares::default().counts(20);
    let (before, after) = (counts([9, 9, 2, 0], [0; 4]), counts([6, 8, 4, 2], [0; 4]));
    let coverage = Coverage { wanted, before, after };
    assert_eq!(coverage.to_string(), "framing 9/9/2/0 before, 6/8/4/2 after, 6/8/4/2 wanted");
    let unchanged = Coverage { after: before, ..coverage };
    assert_eq!(unchanged.to_string(), "framing 9/9/2/0 of 6/8/4/2 wanted");
    let unknown = Coverage { wanted, before: ViewCounts::default(), after: ViewCounts::default() };
    assert_eq!((unknown.known(), unchanged.known()), (None, Some(unchanged)));
}

#[test]
fn counts_are_written_with_names() {
    let set = counts([1, 2, 3, 4], [5, 6, 7, 8]);
    let written = serde_json::to_value(set).unwrap();
    assert_eq!(written["framing"]["full_body"], 3);
    assert_eq!(written["angle"]["three_quarter"], 6);
    assert_eq!(serde_json::from_value::<ViewCounts>(written).unwrap(), set);
}
