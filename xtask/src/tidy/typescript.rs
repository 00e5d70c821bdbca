//! Borders of the UI: features meet only in `app/`, which none of them knows; Monaco, xterm, Tauri and the browser
//! have one door each.
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Findings;
use crate::step::root;

/// Checks every import of the UI's sources.
pub fn borders(files: &[PathBuf], findings: &mut Findings) -> Result<()> {
    let source = root().join("src-ui/src");
    for file in files {
        let Ok(relative) = file.strip_prefix(&source) else {
            continue;
        };
        let is_source = relative
            .extension()
            .is_some_and(|end| end == "ts" || end == "tsx");
        if !is_source || relative.starts_with("host/generated") {
            continue;
        }
        let text = std::fs::read_to_string(file)?;
        if !relative.starts_with("host") && !is_test(relative) {
            for name in outside(&text) {
                findings.add(file, &format!("uses {name}: only host/ reaches outside"));
            }
        }
        for target in imports(&text) {
            if let Some(reason) = crosses(relative, &resolve(relative, target)) {
                findings.add(file, &format!("imports {target}: {reason}"));
            }
        }
    }
    Ok(())
}

/// What a browser offers beyond drawing; the rest of the UI asks its `Host` for it.
const OUTSIDE: [&str; 13] = [
    "Date.now",
    "Math.random",
    "WebSocket(",
    "XMLHttpRequest",
    "crypto.",
    "document.cookie",
    "fetch(",
    "indexedDB",
    "localStorage",
    "location.",
    "navigator.",
    "sessionStorage",
    "window.",
];

fn is_test(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.contains(".test.")
}

/// The names from outside that the code uses; comments may speak of them.
fn outside(text: &str) -> Vec<&'static str> {
    let is_comment = |line: &str| {
        let line = line.trim_start();
        line.starts_with("//") || line.starts_with("/*") || line.starts_with('*')
    };
    let uses = |line: &str, name: &str| {
        line.match_indices(name).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '.'))
        })
    };
    let code: Vec<&str> = text.lines().filter(|line| !is_comment(line)).collect();
    let is_used = |name: &&str| code.iter().any(|line| uses(line, name));
    OUTSIDE.into_iter().filter(is_used).collect()
}

/// The quoted targets of `import ... from "x"`, `import "x"` and `import("x")`.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let line = line.trim_start();
        let after = if let Some((_, rest)) = line.split_once(" from ") {
            rest
        } else if let Some((_, rest)) = line.split_once("import(") {
            rest
        } else {
            line.strip_prefix("import ")?
        };
        let quoted = after.trim_start().strip_prefix(['"', '\''])?;
        quoted.split(['"', '\'']).next()
    })
}

/// A relative target as path below `src/`; a package stays as it is.
fn resolve(from: &Path, target: &str) -> String {
    if let Some(rest) = target.strip_prefix("@/") {
        return rest.to_owned();
    }
    if !target.starts_with('.') {
        return target.to_owned();
    }
    let mut parts: Vec<String> = from
        .parent()
        .into_iter()
        .flat_map(Path::components)
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    for part in target.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name.to_owned()),
        }
    }
    parts.join("/")
}

fn crosses(from: &Path, target: &str) -> Option<&'static str> {
    let feature = |path: &str| {
        path.strip_prefix("features/")
            .and_then(|rest| rest.split('/').next())
            .map(str::to_owned)
    };
    let from = from.to_string_lossy();
    if target.starts_with("@tauri-apps/") && !from.starts_with("host/tauri") {
        return Some("only host/tauri.ts knows Tauri");
    }
    if target.starts_with("monaco-editor") && !from.starts_with("features/editor/") {
        return Some("only features/editor knows Monaco");
    }
    if target.starts_with("@xterm/") && !from.starts_with("features/terminal/") {
        return Some("only features/terminal knows xterm");
    }
    // The entries: the page itself, and the page without a server.
    let is_entry = from.starts_with("main") || from.starts_with("dev/");
    if target.starts_with("app/") && !from.starts_with("app/") && !is_entry {
        return Some("app/ composes the rest; what features ask of each other stands in bench/");
    }
    let to = feature(target)?;
    match feature(&from) {
        Some(own) if own != to => Some("features meet only in app/"),
        None if !from.starts_with("app/") && !is_entry => Some("only app/ composes features"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{crosses, outside};

    #[test]
    fn features_know_the_bench_and_neither_each_other_nor_the_app() {
        let run = Path::new("features/run/RunButton.tsx");
        assert!(crosses(run, "bench/bench").is_none());
        assert!(crosses(run, "features/run/words").is_none());
        assert!(crosses(run, "app/workbench").is_some());
        assert!(crosses(run, "features/terminal/terminals").is_some());
        assert!(crosses(Path::new("bench/bench.ts"), "features/run/words").is_some());
        assert!(crosses(Path::new("bench/bench.ts"), "app/workbench").is_some());
        assert!(crosses(Path::new("app/Ide.tsx"), "features/run/words").is_none());
        assert!(crosses(Path::new("main.tsx"), "app/App").is_none());
        assert!(crosses(Path::new("dev/main.tsx"), "app/show").is_none());
    }

    #[test]
    fn what_reaches_outside_is_found_and_what_only_sounds_like_it_is_not() {
        assert_eq!(outside("  return fetch(url);"), ["fetch("]);
        assert_eq!(
            outside("void navigator.clipboard.writeText(await host.fetch(url))"),
            ["navigator."]
        );
        assert!(outside("const [, go] = useLocation();").is_empty());
        assert!(outside("/** As `fetch(`, but patient. */").is_empty());
        assert!(outside("host.location.now").is_empty());
    }
}
