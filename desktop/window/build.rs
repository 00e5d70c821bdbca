//! Puts `tauri.conf.json`, the capabilities and, with `custom-protocol`, the built page into the program.
use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script everything by its environment"
)]
fn main() -> io::Result<()> {
    if env::var_os("CARGO_FEATURE_CUSTOM_PROTOCOL").is_some() {
        let built = Path::new("../../src-ui/dist");
        println!("cargo:rerun-if-changed={}", built.display());
        if !built.join("index.html").exists() {
            let text = "the page is not built yet; build it first: npm --prefix src-ui run build";
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        let page = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("page");
        if page.exists() {
            fs::remove_dir_all(&page)?;
        }
        copy(built, &page)?;
        let config = serde_json::json!({ "build": { "frontendDist": page } });
        println!("cargo:rustc-env=TAURI_CONFIG={config}");
    }
    tauri_build::build();
    Ok(())
}

/// Copies a folder without the packed twins of its files, which only a server sends: Tauri packs them in its own way. Each
/// file is named to cargo, which looks at times alone: a page that was put there with the times of when it was built has
/// files of other names, and those of before are gone.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            copy(&path, &to.join(entry.file_name()))?;
        } else if path
            .extension()
            .is_none_or(|end| end != "br" && end != "gz")
        {
            println!("cargo:rerun-if-changed={}", path.display());
            fs::copy(&path, to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
