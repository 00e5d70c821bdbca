//! Public constants of a Rust file as TypeScript, so that the UI keeps no copy of its own. Numbers, sums of them, texts
//! and lists of texts are written alike in both languages; anything else does not get past TypeScript's compiler.

/// The TypeScript of a Rust file's public constants, with what is said about them.
pub fn translate(rust: &str, source: &str) -> String {
    let mut out = format!("// Generated from {source}; `cargo xtask codegen` makes it anew.\n");
    let mut about = Vec::new();
    let mut lines = rust.lines();
    while let Some(line) = lines.next() {
        if let Some(text) = line.strip_prefix("/// ") {
            about.push(text);
            continue;
        }
        if let Some(declaration) = line.strip_prefix("pub const ") {
            let mut declaration = declaration.to_owned();
            while !declaration.ends_with(';') {
                let Some(more) = lines.next() else { break };
                declaration.push('\n');
                declaration.push_str(more);
            }
            if let Some(constant) = constant(&declaration) {
                out.push_str(&format!("\n/** {} */\n{constant}\n", about.join("\n * ")));
            }
        }
        about.clear();
    }
    out
}

/// `NAME: type = value;` as TypeScript; none of a function.
fn constant(declaration: &str) -> Option<String> {
    let (name, rest) = declaration.split_once(": ")?;
    let (_, value) = rest.strip_suffix(';')?.split_once(" = ")?;
    if name.contains(' ') {
        return None;
    }
    let value = without_casts(&value.replace("&[", "["));
    let kind = if value.starts_with('[') {
        ": readonly string[]"
    } else {
        ""
    };
    Some(format!("export const {name}{kind} = {value};"))
}

fn without_casts(value: &str) -> String {
    let mut pieces = value.split(" as ");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |value, piece| {
        let is_type = |c: char| c.is_alphanumeric();
        value + piece.trim_start_matches(is_type)
    })
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn constants_keep_their_values_and_their_reasons() {
        let rust = "//! Head.\n\n/// A kibibyte.\npub const KIB: u64 = 1_024;\n/// One frame,\n/// at most.\n\
                    pub const FRAME: usize = (4 + 4) * KIB as usize;\nconst OWN: u64 = 1;\n\
                    /// Names.\npub const NAMES: &[&str] = &[\n    \"a\",\n];\n\
                    /// Tells.\npub const fn tells() -> bool {\n    true\n}\n";
        let wanted = "// Generated from x.rs; `cargo xtask codegen` makes it anew.\n\n\
                      /** A kibibyte. */\nexport const KIB = 1_024;\n\n\
                      /** One frame,\n * at most. */\nexport const FRAME = (4 + 4) * KIB;\n\n\
                      /** Names. */\nexport const NAMES: readonly string[] = [\n    \"a\",\n];\n";
        assert_eq!(translate(rust, "x.rs"), wanted);
    }
}
