//! Configuration files.
pub mod duration;
pub mod file;
pub mod limits;
pub mod names;

#[test]
fn schema() {
    let s = schemars::SchemaGenerator::new(schemars::generate::SchemaSettings::draft2020_12()).into_root_schema_for::<file::File>();
    std::fs::write("/tmp/schema.json", serde_json::to_string_pretty(&s).unwrap()).unwrap();
}
