//! Embeds the built UI as a table of files. Without a built UI the table is empty and the server says so.
#![expect(
    clippy::disallowed_methods,
    reason = "cargo speaks to a build script by variables"
)]
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-env-changed=SLIPWAY_UI_DIST");
    println!("cargo:rerun-if-changed=../migrations");
    let manifest = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = std::env::var("SLIPWAY_UI_DIST")
        .map_or_else(|_| manifest.join("../src-ui/dist"), PathBuf::from);
    println!("cargo:rerun-if-changed={}", dist.display());
    let dist = std::fs::canonicalize(&dist).unwrap_or(dist);
    let mut files = Vec::new();
    collect(&dist, &mut files)?;
    files.sort();
    let mut table = String::from("static ASSETS: &[Asset] = &[\n");
    for file in files
        .iter()
        .filter(|file| !ends(file, "br") && !ends(file, "gz"))
    {
        let path = file
            .strip_prefix(&dist)
            .unwrap_or(file)
            .to_string_lossy()
            .replace('\\', "/");
        let packed = |end: &str| {
            let packed = PathBuf::from(format!("{}.{end}", file.display()));
            if packed.exists() {
                format!("Some(include_bytes!({packed:?}))")
            } else {
                "None".to_owned()
            }
        };
        let etag = format!("\"{:016x}\"", fingerprint(&std::fs::read(file)?));
        let _ = writeln!(
            table,
            "    Asset {{ path: {path:?}, mime: {:?}, etag: {etag:?}, plain: include_bytes!({file:?}), brotli: {}, gzip: {} }},",
            mime(file),
            packed("br"),
            packed("gz"),
        );
    }
    table.push_str("];\n");
    let out = PathBuf::from(std::env::var("OUT_DIR").unwrap_or_default()).join("assets.rs");
    std::fs::write(out, table)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries {
        let path = std::fs::canonicalize(entry?.path())?;
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn ends(file: &Path, end: &str) -> bool {
    file.extension().is_some_and(|found| found == end)
}

/// FNV-1a: tells two builds apart, protects nothing.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn mime(file: &Path) -> &'static str {
    match file
        .extension()
        .and_then(|end| end.to_str())
        .unwrap_or_default()
    {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "webmanifest" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}
