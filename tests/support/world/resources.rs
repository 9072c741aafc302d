//! Creates the bucket, the table and the queues of a world, as the template would.

use aws::queues::QueueUrls;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use aws_sdk_s3::types::{Event, NotificationConfiguration, QueueConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use handlers::lambda::MAX_DELIVERIES;
use serde_json::json;

use crate::harness::KEY_PREFIX;

/// Creates a table with the keys of the template's.
pub async fn make_table(dynamodb: &aws_sdk_dynamodb::Client, name: &str) {
    let mut request = dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, key) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let definition = AttributeDefinition::builder().attribute_name(attribute);
        let element = KeySchemaElement::builder().attribute_name(attribute).key_type(key);
        request = request
            .attribute_definitions(definition.attribute_type(ScalarAttributeType::S).build().unwrap())
            .key_schema(element.build().unwrap());
    }
    request.send().await.unwrap();
}

/// Creates the three queues, each with its dead-letter queue.
pub(super) async fn make_queues(sqs: &aws_sdk_sqs::Client) -> QueueUrls {
    let mut urls = Vec::new();
    for name in ["evaluation", "deletion", "generation"] {
        let dead = sqs.create_queue().queue_name(format!("{name}-dead")).send().await.unwrap().queue_url.unwrap();
        let policy = json!({ "deadLetterTargetArn": arn(sqs, &dead).await, "maxReceiveCount": MAX_DELIVERIES });
        let request = sqs.create_queue().queue_name(name);
        let created = request.attributes(QueueAttributeName::RedrivePolicy, policy.to_string()).send().await;
        urls.push(created.unwrap().queue_url.unwrap());
    }
    let [evaluation, deletion, generation] = urls.try_into().unwrap();
    QueueUrls { evaluation, deletion, generation }
}

async fn arn(sqs: &aws_sdk_sqs::Client, url: &str) -> String {
    let request = sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
    request.send().await.unwrap().attributes.unwrap()[&QueueAttributeName::QueueArn].clone()
}

/// Creates a bucket that sends its notifications to the evaluation queue.
pub(super) async fn make_bucket(s3: &aws_sdk_s3::Client, sqs: &aws_sdk_sqs::Client, name: &str, queue: &str) {
    s3.create_bucket().bucket(name).send().await.unwrap();
    let filter =
        aws_sdk_s3::types::FilterRule::builder().name("prefix".into()).value(format!("{KEY_PREFIX}/training_data/"));
    let key = aws_sdk_s3::types::S3KeyFilter::builder().filter_rules(filter.build()).build();
    let filter = aws_sdk_s3::types::NotificationConfigurationFilter::builder().key(key).build();
    let configuration = QueueConfiguration::builder()
        .queue_arn(arn(sqs, queue).await)
        .events(Event::from("s3:ObjectCreated:*"))
        .filter(filter)
        .build()
        .unwrap();
    let configuration = NotificationConfiguration::builder().queue_configurations(configuration).build();
    let request = s3.put_bucket_notification_configuration().bucket(name).notification_configuration(configuration);
    request.send().await.unwrap();
}
