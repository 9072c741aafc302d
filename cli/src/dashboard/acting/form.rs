//! The fields of a form.

use axum::Form;
use axum::extract::rejection::FormRejection;

use crate::dashboard::answers::Failure;
use crate::pages::back::Back;
use crate::pages::filters::View;

/// A form as axum reads it. A name may occur several times.
pub type Sent = Result<Form<Vec<(String, String)>>, FormRejection>;

/// The fields of a form, in the order of the page.
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Fails if the body is no form.
    pub fn of(sent: Sent) -> Result<Self, Failure> {
        match sent {
            Ok(Form(fields)) => Ok(Self(fields)),
            Err(problem) => Err(Failure::Wrong(format!("The form can't be read: {problem}. Load its page again."))),
        }
    }

    /// The first field with this name.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The same, of a field that the form must have.
    pub fn required(&self, name: &str) -> Result<&str, Failure> {
        self.one(name).ok_or_else(|| Failure::Wrong(format!("The form has no field `{name}`. Load its page again.")))
    }

    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The ids of the chosen images: the one whose own button was pressed, or else those that are selected.
    pub fn images(&self) -> Result<Vec<&str>, Failure> {
        let chosen: Vec<&str> = match self.one("only") {
            Some(only) => vec![only],
            None => self.all("image").collect(),
        };
        match chosen.is_empty() {
            true => Err(Failure::Wrong("No image is selected. Go back and select at least one.".to_owned())),
            false => Ok(chosen),
        }
    }

    /// The page to which the action returns.
    pub fn back(&self) -> Back {
        let view = View::of(self.one("show"), self.one("sort"));
        Back::of(self.one("back"), self.one("back_image"), view)
    }

    /// A text that is equal for two copies of the form, and differs if another value was given.
    pub fn fingerprint(&self) -> String {
        format!("{:?}", self.0)
    }
}
