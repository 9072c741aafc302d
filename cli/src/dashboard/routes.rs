//! The addresses of the dashboard. Those of actors and images contain an actor's id, and the id of a picture: both are
//! looked up, and nothing of an address becomes a part of a path or key.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use domain::actor::ActorId;
use maud::Markup;
use serde::Deserialize;

use super::answers::Failure;
use super::gate::guard;
use super::live::events;
use super::lookup::{no_form, no_image, no_page, readable};
use super::pictures::Version;
use super::server::Dashboard;
use super::{acting, activity, settings};
use crate::pages::actors::{Actors, actors_page};
use crate::pages::filters::{View, Wanted};
use crate::pages::frame::{Page, Part};
use crate::pages::history::history_page;
use crate::pages::image::image_page;
use crate::pages::notice::Notice;
use crate::pages::plan::plan_page;
use crate::pages::set::set_page;
use crate::pages::settings::settings_page;
use crate::pages::{Details, LARGE, SMALL, STYLE, Shown, picture_id};
use crate::sets::Place;

const SCRIPT: &str = include_str!("../../assets/dashboard/page.js");

/// A picture whose address contains its version never changes.
const KEEP: &str = "private, max-age=86400, immutable";

/// Any other picture is asked for again, with the version that the browser has.
const ASK_AGAIN: &str = "private, no-cache";

type Server = State<Arc<Dashboard>>;

/// All pages, behind the gate.
pub fn router(dashboard: Arc<Dashboard>) -> Router {
    Router::new()
        .route("/", get(actors))
        .route("/a/{actor}", get(set))
        .route("/a/{actor}/plan", get(plan))
        .route("/a/{actor}/history", get(history))
        .route("/a/{actor}/i/{id}", get(image))
        .route("/a/{actor}/p/{id}/{side}", get(picture))
        .route("/activity", get(show_activity))
        .route("/settings", get(show_settings))
        .route("/events", get(stream_events))
        .route("/static/style.css", get(async || ([(header::CONTENT_TYPE, "text/css")], STYLE)))
        .route("/static/page.js", get(async || ([(header::CONTENT_TYPE, "text/javascript")], SCRIPT)))
        .merge(acting::routes())
        .method_not_allowed_fallback(async |State(dashboard): Server| dashboard.answer(Err(no_form())))
        .fallback(async |State(dashboard): Server| dashboard.answer(Err(no_page())))
        .layer(middleware::from_fn_with_state(Arc::clone(&dashboard), guard))
        .with_state(dashboard)
}

#[derive(Deserialize)]
struct ListQuery {
    status: Option<String>,
    q: Option<String>,
}

async fn actors(State(dashboard): Server, Query(query): Query<ListQuery>) -> Response {
    let wanted = Wanted::of(query.status.as_deref(), query.q.as_deref());
    dashboard.answer(dashboard.list(&wanted).await)
}

#[derive(Deserialize)]
struct SetQuery {
    show: Option<String>,
    sort: Option<String>,
    note: Option<String>,
}

/// The notice of the action that has led to a page.
#[derive(Deserialize)]
struct NoteQuery {
    note: Option<String>,
}

impl SetQuery {
    fn view(&self) -> View {
        View::of(self.show.as_deref(), self.sort.as_deref())
    }
}

async fn set(State(dashboard): Server, Path(actor): Path<String>, Query(query): Query<SetQuery>) -> Response {
    let (view, offer) = (query.view(), dashboard.offer());
    let notice = dashboard.notices.take(query.note.as_deref());
    dashboard.actor_page(&actor, notice, |shown, details| Ok(set_page(shown, details, view, &offer))).await
}

async fn plan(State(dashboard): Server, Path(actor): Path<String>, Query(query): Query<NoteQuery>) -> Response {
    dashboard.plan_with(&actor, dashboard.notices.take(query.note.as_deref())).await
}

async fn history(State(dashboard): Server, Path(actor): Path<String>, Query(query): Query<NoteQuery>) -> Response {
    let (notice, offer) = (dashboard.notices.take(query.note.as_deref()), dashboard.offer());
    dashboard.actor_page(&actor, notice, |shown, details| Ok(history_page(shown, details, &offer))).await
}

async fn image(
    State(dashboard): Server,
    Path((actor, id)): Path<(String, String)>,
    Query(query): Query<SetQuery>,
) -> Response {
    let (view, offer) = (query.view(), dashboard.offer());
    let notice = dashboard.notices.take(query.note.as_deref());
    let page = |shown: &Shown, details: &Details| {
        let picture = shown.find(&id, details).ok_or_else(|| no_image(&shown.set.actor))?;
        Ok(image_page(shown, details, &picture, view, &offer))
    };
    dashboard.actor_page(&actor, notice, page).await
}

#[derive(Deserialize)]
struct PictureQuery {
    v: Option<String>,
}

async fn picture(
    State(dashboard): Server,
    Path((actor, id, side)): Path<(String, String, u32)>,
    Query(query): Query<PictureQuery>,
    headers: HeaderMap,
) -> Response {
    if ![SMALL, LARGE].contains(&side) {
        return dashboard.answer(Err(no_page()));
    }
    match dashboard.find_picture(&actor, &id, side, query.v.as_deref(), &headers).await {
        Ok(response) => response,
        Err(failure) => dashboard.answer(Err(failure)),
    }
}

async fn show_activity(State(dashboard): Server, Query(query): Query<NoteQuery>) -> Response {
    let notice = dashboard.notices.take(query.note.as_deref());
    dashboard.answer(activity::page(&dashboard, notice).await)
}

async fn show_settings(State(dashboard): Server) -> Response {
    let body = settings_page(&settings::groups(&dashboard.shelf.sets));
    dashboard.answer(Ok(Page { title: "Settings", part: Part::Settings, events: None, body, notice: None }))
}

#[derive(Deserialize)]
struct EventsQuery {
    actor: Option<ActorId>,
}

async fn stream_events(State(dashboard): Server, Query(query): Query<EventsQuery>) -> Response {
    events(dashboard, query.actor).into_response()
}

impl Dashboard {
    async fn list(&self, wanted: &Wanted) -> Result<Page<'static>, Failure> {
        let entries = self.shelf.all().await?;
        let mut actors = Actors::default();
        for (actor, entry) in &entries {
            match &entry.read {
                Ok(shown) => actors.sets.push(shown),
                Err(problem) => actors.unreadable.push((actor, problem)),
            }
        }
        actors.sets.sort_by_cached_key(|shown| shown.urgency());
        let body = actors_page(&actors, wanted, &settings::places_for_images(&self.shelf.sets));
        Ok(Page { title: "Actors", part: Part::Actors, events: Some("/events".to_owned()), body, notice: None })
    }

    /// The page of an actor's plan.
    pub async fn plan_with(&self, actor: &str, notice: Option<Notice>) -> Response {
        let (price, offer) = (settings::price_per_image(&self.shelf.sets), self.offer());
        self.actor_page(actor, notice, |shown, details| Ok(plan_page(shown, details, price, &offer))).await
    }

    /// A page about one actor.
    async fn actor_page(
        &self,
        actor: &str,
        notice: Option<Notice>,
        page: impl FnOnce(&Shown, &Details) -> Result<Markup, Failure>,
    ) -> Response {
        let made = async {
            let entry = self.entry(actor).await?;
            let shown = readable(&entry)?;
            let details = self.shelf.details(&entry, shown).await?;
            Ok((shown.set.actor.clone(), page(shown, details)?))
        };
        let title;
        let page = match made.await {
            Ok((actor, body)) => {
                title = crate::pages::plain(actor.as_str());
                let events = Some(crate::pages::events_of(&actor));
                Ok(Page { title: &title, part: Part::Actors, events, body, notice })
            }
            Err(failure) => Err(failure),
        };
        self.answer(page)
    }

    /// Finds the picture in the actor's records, and encodes it unless the browser or the cache has it. `version` is
    /// the one of the page; a picture whose record has none is read to find out.
    async fn find_picture(
        &self,
        actor: &str,
        id: &str,
        side: u32,
        version: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<Response, Failure> {
        let entry = self.entry(actor).await?;
        let shown = readable(&entry)?;
        let actor = &shown.set.actor;
        let (place, known) = if id == picture_id(&Place::Base) {
            (Place::Base, None)
        } else {
            let details = Details::none();
            let found = shown.find(id, &details).ok_or_else(|| no_image(actor))?;
            let known = found.version().filter(|known| Some(*known) == version && self.shelf.is_in_stack());
            (found.place.clone(), known.map(|known| Version { name: format!("{actor}/{id}/{known}"), side }))
        };
        if let Some(version) = &known {
            if version.is_known_to(headers) {
                return Ok(version.unchanged(KEEP));
            }
            if let Some(jpeg) = self.pictures.cached(version) {
                return Ok(version.answer(&jpeg, KEEP));
            }
        }
        let bytes = self.shelf.sets.picture(actor, &place).await?.ok_or_else(|| no_image(actor))?;
        let caching = if known.is_some() { KEEP } else { ASK_AGAIN };
        let version = known.unwrap_or_else(|| Version::of_bytes(&bytes, side));
        if version.is_known_to(headers) {
            return Ok(version.unchanged(caching));
        }
        match self.pictures.encode(&version, bytes).await {
            Ok(jpeg) => Ok(version.answer(&jpeg, caching)),
            Err(problem) => Ok((StatusCode::UNPROCESSABLE_ENTITY, format!("{problem:#}")).into_response()),
        }
    }
}
