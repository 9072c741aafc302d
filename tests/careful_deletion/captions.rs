//! No deletion and no evaluation loses a caption that the user sets at the same time.

use std::time::Instant;

use aws::store::Store;
use aws::store::deletions::{Claim, Remains};
use aws::store::images::Edit;
use balancer_tests::stack::actor;
use balancer_tests::world::World;
use domain::actor::ActorId;
use domain::lifecycle::deletion::Version;
use domain::manifest::Image;
use domain::trash::TrashRecord;
use handlers::Clock;

/// The number of races between a caption and a deletion for one record.
const RACES: u32 = 100;

const CAPTION: &str = "reads by the sea";

fn image() -> Image {
    Image { etag: Some("1".to_owned()), ..Image::default() }
}

async fn claim(store: &Store, actor: &ActorId, filename: &str) -> TrashRecord {
    let wanted = TrashRecord {
        plan_id: "p".to_owned(),
        deleted_at: Clock::system().now(),
        reason: "Surplus.".to_owned(),
        image: image(),
        sidecars: Vec::new(),
    };
    match store.claim_deletion(actor, filename, &wanted, Version::Assessed, "t").await.unwrap() {
        Claim::Granted(claimed) => claimed.trashed,
        other => panic!("{filename}: {other:?}"),
    }
}

#[tokio::test]
async fn caption_before_the_claim_reaches_the_trash() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    world.store.import_image(&hero, "hero.jpg", &image()).await.unwrap();
    let began = Instant::now();
    claim(&world.store, &hero, "hero.jpg").await;
    let one_claim = began.elapsed();
    let mut before = 0;
    for number in 0..RACES {
        let filename = format!("hero_{number}.jpg");
        world.store.import_image(&hero, &filename, &image()).await.unwrap();
        let caption = async {
            // From the beginning of a claim to long after it, so that each race meets another step of it.
            tokio::time::sleep(one_claim * (number % 20) / 5).await;
            world.store.set_caption(&hero, &filename, Some(CAPTION)).await.unwrap()
        };
        let (trashed, edit) = tokio::join!(claim(&world.store, &hero, &filename), caption);
        let expected = (edit == Edit::Done).then(|| CAPTION.to_owned());
        assert_eq!(trashed.image.caption, expected, "{filename}: {edit:?}");
        before += u32::from(edit == Edit::Done);
    }
    assert!((1..RACES).contains(&before), "{before} of {RACES} races were won by the caption");
}

#[tokio::test]
async fn replaced_image_keeps_a_concurrent_caption() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    let (store, read, mut replaced) = (&world.store, image(), image());
    store.import_image(&hero, "hero_1.jpg", &read).await.unwrap();
    replaced.replace("2");
    for caption in [Some(CAPTION), None] {
        assert_eq!(store.set_caption(&hero, "hero_1.jpg", caption).await.unwrap(), Edit::Done);
        store.save_replaced(&hero, "hero_1.jpg", &read, &replaced).await.unwrap();
        let record = store.image(&hero, "hero_1.jpg").await.unwrap().unwrap();
        assert_eq!((record.etag.as_deref(), record.caption.as_deref()), (Some("2"), caption));
        store.save_replaced(&hero, "hero_1.jpg", &replaced, &read).await.unwrap();
    }
}

#[tokio::test]
async fn restored_image_has_its_caption_again() {
    let (world, hero) = (World::coded(&[]).await, actor("hero"));
    let (store, now) = (&world.store, world.clock.now());
    let captioned = Image { caption: Some(CAPTION.to_owned()), ..image() };
    store.import_image(&hero, "hero_1.jpg", &captioned).await.unwrap();
    let trashed = claim(store, &hero, "hero_1.jpg").await;
    store.end_deletion(&hero, "hero_1.jpg", "p", Remains::Trashed).await.unwrap();
    assert!(store.restore_image(&hero, "hero_1.jpg", &trashed.image, false, now).await.unwrap());
    assert_eq!(store.image(&hero, "hero_1.jpg").await.unwrap(), Some(captioned));
}
