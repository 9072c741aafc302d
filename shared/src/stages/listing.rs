//! The image files of an actor, as the bucket has them.

use super::StageError;
use crate::adapters::bucket::Bucket;
use crate::domain::actor::ActorId;
use crate::domain::reconciliation::Listed;
use crate::keys::{Keys, is_image_name};

/// Lists the actor's image files. What else lies in its folder, or deeper, is nobody's concern.
pub(super) async fn list_images(bucket: &Bucket, keys: &Keys, actor: &ActorId) -> Result<Vec<Listed>, StageError> {
    let folder = keys.training_data(actor);
    let objects = bucket.list(&folder).await?;
    Ok(objects
        .into_iter()
        .filter_map(|object| {
            let filename = object.key.strip_prefix(&folder)?.to_owned();
            let is_image = !filename.contains('/') && is_image_name(&filename);
            is_image.then_some(Listed { filename, etag: object.etag })
        })
        .collect())
}
