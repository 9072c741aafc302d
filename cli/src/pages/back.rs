//! The page to which an action returns: one of the dashboard's own addresses.

use domain::actor::ActorId;
use maud::{Markup, html};

use super::filters::View;
use super::medium::{actor_address, is_picture_id};

/// A page of an actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Back {
    Set(View),
    /// The page of an image, by the id of its picture.
    Image(String, View),
    Plan,
    History,
}

impl Back {
    /// The page that the fields of a form name; the set if they name none.
    pub fn of(page: Option<&str>, image: Option<&str>, view: View) -> Self {
        match (page, image) {
            (Some("image"), Some(id)) if is_picture_id(id) => Self::Image(id.to_owned(), view),
            (Some("plan"), _) => Self::Plan,
            (Some("history"), _) => Self::History,
            _ => Self::Set(view),
        }
    }

    /// The fields by which a form names the page.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let (page, image, view) = match self {
            Self::Set(view) => ("set", None, Some(view)),
            Self::Image(id, view) => ("image", Some(id), Some(view)),
            Self::Plan => ("plan", None, None),
            Self::History => ("history", None, None),
        };
        let mut fields = vec![("back", page.to_owned())];
        fields.extend(image.map(|id| ("back_image", id.clone())));
        if let Some(View { show, sort }) = view {
            fields.extend([("show", show.word().to_owned()), ("sort", sort.word().to_owned())]);
        }
        fields
    }

    /// The address of the page. `notice` is the id of a notice that it shows once.
    pub fn address(&self, actor: &ActorId, notice: &str) -> String {
        let (path, view) = match self {
            Self::Set(view) => (String::new(), *view),
            Self::Image(id, view) => (format!("/i/{id}"), *view),
            Self::Plan => ("/plan".to_owned(), View::default()),
            Self::History => ("/history".to_owned(), View::default()),
        };
        let query = view.query();
        let sign = if query.is_empty() { '?' } else { '&' };
        format!("{}{path}{query}{sign}note={notice}", actor_address(actor))
    }
}

/// Fields of a form that the user does not see. Firefox would keep their old values when a page is loaded again.
pub fn hidden(fields: &[(&'static str, String)]) -> Markup {
    html! {
        @for (name, value) in fields { input type="hidden" name=(name) value=(value) autocomplete="off"; }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::filters::{Show, Sort};
    use crate::pages::picture_id;
    use crate::sets::Place;

    #[test]
    fn fields_lead_back_to_their_page() {
        let actor: ActorId = "the hero".parse().unwrap();
        let view = View { show: Show::Small, sort: Sort::Name };
        let id = picture_id(&Place::Base);
        for back in [Back::Set(view), Back::Image(id.clone(), View::default()), Back::Plan, Back::History] {
            let fields = back.fields();
            let value = |name| fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str());
            let view = View::of(value("show"), value("sort"));
            assert_eq!(Back::of(value("back"), value("back_image"), view), back);
        }
        assert_eq!(Back::Set(view).address(&actor, "1"), "/a/the%20hero?show=small&sort=name&note=1");
        assert_eq!(
            Back::Image(id.clone(), View::default()).address(&actor, "1"),
            format!("/a/the%20hero/i/{id}?note=1")
        );
    }

    #[test]
    fn no_other_address_is_a_page_to_return_to() {
        for (page, image) in [("https://evil.example", ""), ("image", "../../x"), ("image", "//evil.example"), ("", "")]
        {
            let back = Back::of(Some(page), Some(image), View::default());
            assert_eq!(back, Back::Set(View::default()), "{page} {image}");
        }
    }
}
