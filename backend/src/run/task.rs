//! What a workspace offers to run: scripts of package.json, targets of the Makefile, `[tasks]` of slipway.toml.
//! A file that cannot be read as such is reported and hides nothing else.
use slipway_api::run::{Task, TaskSource, Tasks};

use super::command::{for_line, quote};

/// Tasks of one workspace; a generated Makefile with thousands of targets is not a menu.
const TASKS_MAX: usize = 200;

/// The files in which tasks stand, in the order of the menu.
pub const FILES: [(&str, TaskSource); 3] = [
    ("slipway.toml", TaskSource::SlipwayToml),
    ("package.json", TaskSource::PackageJson),
    ("Makefile", TaskSource::Makefile),
];

/// Reads the tasks out of the contents of [`FILES`] that exist.
#[must_use]
pub fn read(files: &[(&str, TaskSource, &[u8])]) -> Tasks {
    let mut tasks = Tasks {
        tasks: Vec::new(),
        problems: Vec::new(),
    };
    for (name, source, content) in files {
        let found = match std::str::from_utf8(content) {
            Err(_) => Err("it is not UTF-8 text".to_owned()),
            Ok(text) => match source {
                TaskSource::SlipwayToml => slipway_toml(text),
                TaskSource::PackageJson => package_json(text),
                TaskSource::Makefile => Ok(makefile(text)),
            },
        };
        match found {
            Ok(found) => {
                for (task, command) in found {
                    add(&mut tasks, &task, *source, command);
                }
            }
            Err(why) => tasks
                .problems
                .push(format!("{name} offers no tasks: {why}.")),
        }
    }
    tasks
}

/// Adds a task; a name that is taken is told apart by where it comes from.
fn add(tasks: &mut Tasks, name: &str, source: TaskSource, command: String) {
    if tasks.tasks.len() >= TASKS_MAX || for_line(&command).is_err() {
        return;
    }
    let taken = |name: &str| tasks.tasks.iter().any(|task| task.name == name);
    let prefix = match source {
        TaskSource::SlipwayToml => "slipway",
        TaskSource::PackageJson => "npm",
        TaskSource::Makefile => "make",
    };
    let name = if taken(name) {
        format!("{prefix} {name}")
    } else {
        name.to_owned()
    };
    if !taken(&name) {
        tasks.tasks.push(Task {
            name,
            source,
            command,
        });
    }
}

fn slipway_toml(text: &str) -> Result<Vec<(String, String)>, String> {
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| error.message().trim_end_matches('.').to_owned())?;
    let Some(tasks) = table.get("tasks") else {
        return Ok(Vec::new());
    };
    let tasks = tasks
        .as_table()
        .ok_or("[tasks] is not a table of name = \"command\"")?;
    tasks
        .iter()
        .map(|(name, value)| match value.as_str() {
            Some(command) => Ok((name.clone(), command.to_owned())),
            None => Err(format!("the task \"{name}\" is not a text")),
        })
        .collect()
}

fn package_json(text: &str) -> Result<Vec<(String, String)>, String> {
    let package: serde_json::Value =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Some(scripts) = package.get("scripts") else {
        return Ok(Vec::new());
    };
    let scripts = scripts.as_object().ok_or("\"scripts\" is not an object")?;
    Ok(scripts
        .iter()
        .filter(|(_, script)| script.is_string())
        .map(|(name, _)| (name.clone(), format!("npm run {}", quote(name))))
        .collect())
}

/// Explicit targets: no patterns, no variables, no special ones.
fn makefile(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if line.starts_with(['\t', ' ', '#', '.']) {
            continue;
        }
        let Some((targets, rest)) = line.split_once(':') else {
            continue;
        };
        if rest.starts_with('=') || rest.starts_with(":=") || targets.contains('=') {
            continue;
        }
        for target in targets.split_ascii_whitespace() {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/+".contains(&byte);
            if target.bytes().all(plain) && found.iter().all(|(name, _)| name != target) {
                found.push((target.to_owned(), format!("make {target}")));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_from_three_files_and_names_stay_apart() {
        let tasks = read(&[
            ("slipway.toml", TaskSource::SlipwayToml, b"[tasks]\ntrain = \"python3 train.py\"\n"),
            ("package.json", TaskSource::PackageJson, br#"{"scripts":{"build":"vite build","bad":1}}"#),
            (
                "Makefile",
                TaskSource::Makefile,
                b"CC := gcc\n.PHONY: all\nall build: x.o\n\tgcc -o x\n%.o: %.c\n$(OUT): y\ntest::\n",
            ),
        ]);
        let shown: Vec<_> = tasks
            .tasks
            .iter()
            .map(|task| (task.name.as_str(), task.command.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("train", "python3 train.py"),
                ("build", "npm run build"),
                ("all", "make all"),
                ("make build", "make build"),
                ("test", "make test"),
            ]
        );
        assert!(tasks.problems.is_empty());
    }

    #[test]
    fn a_broken_file_is_reported_and_hides_nothing_else() {
        let tasks = read(&[
            ("slipway.toml", TaskSource::SlipwayToml, b"[tasks"),
            ("package.json", TaskSource::PackageJson, b"{"),
            ("Makefile", TaskSource::Makefile, b"all:\n"),
        ]);
        assert_eq!(tasks.tasks.len(), 1);
        assert_eq!(tasks.problems.len(), 2);
        assert!(tasks.problems[0].starts_with("slipway.toml offers no tasks"));
        let latin1 = read(&[("Makefile", TaskSource::Makefile, b"\xe9:\n")]);
        assert_eq!(
            latin1.problems,
            ["Makefile offers no tasks: it is not UTF-8 text."]
        );
    }
}
