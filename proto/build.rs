//! Generates the wire types; protox parses the schema, so no `protoc` has to be installed.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = ["agent", "events", "sync", "terminal", "ws"]
        .map(|name| format!("slipway/v1/{name}.proto"));
    for file in &files {
        println!("cargo:rerun-if-changed={file}");
    }
    let descriptors = protox::compile(&files, ["."])?;
    tonic_prost_build::configure()
        .bytes(".")
        .codec_path("crate::codec::LeanCodec")
        .compile_fds(descriptors)?;
    Ok(())
}
