//! The report as JSON, and its JSON Schema.

use super::Report;
use crate::exit::Exit;

/// The report, indented, with a final line end.
///
/// # Errors
/// None that a report can cause; serde's signature has one.
pub(crate) fn render(report: &Report) -> serde_json::Result<String> {
    serde_json::to_string_pretty(report).map(|text| text + "\n")
}

/// The JSON Schema of the report (draft 2020-12). The exit statuses stand in it too, for those who write a CI job by it.
///
/// # Errors
/// None that a schema can cause; serde's signature has one.
pub(crate) fn schema() -> serde_json::Result<String> {
    let mut schema = schemars::schema_for!(Report);
    let statuses: serde_json::Map<_, _> = Exit::ALL.iter().map(|e| (e.status().to_string(), e.means().into())).collect();
    schema.insert("title".into(), "bbdoctor report, version 1".into());
    schema.insert("x-exit-status".into(), statuses.into());
    serde_json::to_string_pretty(&schema).map(|text| text + "\n")
}
