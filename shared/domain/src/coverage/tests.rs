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
    assert_eq!(tally.loss(counts([1; 4], [2; 4]), &unknown), 0);
}

#[test]
fn loss_counts_the_wanted_views_that_go() {
    let set = counts([2, 1, 0, 0], [1, 2, 0, 0]);
    let loss = |framing, angle| set.loss(counts([1; 4], [1; 4]), &content(Some(framing), Some(angle)));
    assert_eq!(loss(Framing::CloseUp, Angle::ThreeQuarter), 0);
    assert_eq!(loss(Framing::CloseUp, Angle::Front), 1);
    assert_eq!(loss(Framing::Medium, Angle::Front), 2);
}

#[test]
fn set_of_unknown_views_lacks_the_shares_of_new_ones() {
    let lacking = ViewShares::default().lacking(ViewCounts::default(), 10);
    assert_eq!(lacking, counts([3, 4, 2, 1], [3, 4, 2, 1]));
    let covered = ViewShares::default().lacking(counts([6, 0, 4, 2], [5, 7, 0, 0]), 8);
    assert_eq!(covered, counts([0, 8, 0, 0], [0, 1, 5, 2]));
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
