//! What operators are told.

use serde_json::{Value, json};

use crate::sample::Sample;

async fn report(sample: &Sample) -> (u16, Value) {
    let answer = sample.serve().await.get("/readyz").await;
    assert_eq!((answer.field("content-type"), answer.field("cache-control")), (Some("application/json"), Some("no-store")));
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

#[tokio::test]
async fn readiness_counts_down_every_role_and_names_the_keys_on_the_server() {
    let (status, report) = report(&Sample::new()).await;
    assert_eq!((status, &report["status"], &report["demo"]), (200, &json!("ready"), &json!(false)));
    let repository = &report["repositories"][0];
    assert_eq!((&repository["name"], &repository["ready"]), (&json!("acme"), &json!(true)));
    assert_eq!(repository["keys_on_server"], json!(["root", "windows"]));
    let roles = repository["roles"].as_array().unwrap();
    for expected in [("timestamp", 5, 7), ("snapshot", 5, 29), ("root", 2, 313), ("targets", 2, 8), ("windows", 3, 344), ("linux", 1, 344)]
    {
        let role = roles.iter().find(|role| role["role"] == expected.0).unwrap();
        assert_eq!((&role["version"], &role["days_left"]), (&json!(expected.1), &json!(expected.2)), "{}", expected.0);
    }
    assert_eq!((roles.len(), &repository["verified"], repository.get("refresh")), (9, &json!(true), None));
    let warnings = repository["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].as_str().unwrap().starts_with("`targets` expires in 8 days (2026-11-30T00:00:00Z): "), "{}", warnings[0]);
}

#[tokio::test]
async fn an_expired_timestamp_is_not_ready() {
    let sample = Sample::new();
    sample.timestamp(5, crate::sample::NOW);
    let (status, report) = report(&sample).await;
    assert_eq!((status, &report["status"]), (503, &json!("not-ready")));
    assert_eq!(report["repositories"][0]["roles"][0]["expired"], json!(true));
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_not_ready_but_the_process_lives() {
    let sample = Sample::new();
    std::fs::remove_dir_all(sample.path("")).unwrap();
    let (status, report) = report(&sample).await;
    assert_eq!((status, &report["repositories"][0]["ready"]), (503, &json!(false)));
    assert!(!report["repositories"][0]["warnings"].as_array().unwrap().is_empty());
    assert_eq!(sample.serve().await.get("/healthz").await.status, 200);
}
