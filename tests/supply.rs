//! Licences and sources of everything that is locked, judged offline by `deny.toml`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use spdx::{Expression, ParseMode};
use toml::Table;

/// The adapter of its own that is tested with this crate.
const EXAMPLE: &str = "folder-chat";

fn table(file: &str) -> Table {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap().parse().unwrap()
}

fn words(rules: &Table, section: &str, key: &str) -> BTreeSet<String> {
    rules[section][key].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

fn output(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Every package that is built here, for the program and for its tests. Packages that are locked for other systems are not
/// on this machine, so that their licences cannot be read; their sources and names can.
fn built_here() -> Vec<Value> {
    let rustc = std::env::vars().find_map(|(name, value)| (name == "RUSTC").then_some(value)).unwrap_or_else(|| "rustc".to_owned());
    let version = String::from_utf8(output(&rustc, &["-vV"])).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let metadata = ["metadata", "--offline", "--locked", "--format-version", "1", "--all-features", "--filter-platform", host];
    let metadata: Value = serde_json::from_slice(&output(env!("CARGO"), &metadata)).unwrap();
    let packages = metadata["packages"].as_array().unwrap().clone();
    packages.into_iter().filter(|package| !package["source"].is_null()).collect()
}

/// Whether the licences that are allowed satisfy an expression; also tells which of them it could use.
fn judge(expression: &str, allowed: &BTreeSet<String>) -> Result<BTreeSet<String>, String> {
    let parsed = Expression::parse_mode(expression, ParseMode::LAX).map_err(|error| error.reason.to_string())?;
    let known = |requirement: &spdx::LicenseReq| requirement.addition.is_none() && allowed.contains(&requirement.license.to_string());
    if !parsed.evaluate(known) {
        return Err(format!("`{expression}` is not allowed"));
    }
    Ok(parsed.requirements().filter(|part| known(&part.req)).map(|part| part.req.license.to_string()).collect())
}

#[test]
fn licences_are_allowed_and_no_more_are_allowed_than_needed() {
    let allowed = words(&table("deny.toml"), "licenses", "allow");
    let packages = built_here();
    assert!(packages.len() > 100, "only {} packages", packages.len());
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for package in &packages {
        match package["license"].as_str().ok_or_else(|| "names no licence".to_owned()).and_then(|text| judge(text, &allowed)) {
            Ok(licences) => used.extend(licences),
            Err(error) => wrong.push(format!("{} {}: {error}", package["name"], package["version"])),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(used, allowed, "deny.toml allows a licence that nothing has");
}

#[test]
fn everything_locked_comes_from_the_registry_and_nothing_is_banned() {
    let rules = table("deny.toml");
    let registries: BTreeSet<String> =
        words(&rules, "sources", "allow-registry").into_iter().map(|registry| format!("registry+{registry}")).collect();
    let banned: BTreeSet<&str> = rules["bans"]["deny"].as_array().unwrap().iter().map(|ban| ban["crate"].as_str().unwrap()).collect();
    let lock = table("Cargo.lock");
    let packages = lock["package"].as_array().unwrap();
    assert!(packages.len() > 100 && !banned.is_empty() && !registries.is_empty());
    for package in packages {
        let name = package["name"].as_str().unwrap();
        assert!(!banned.contains(name), "{name} is banned by deny.toml");
        match package.get("source").and_then(toml::Value::as_str) {
            None => assert!([env!("CARGO_PKG_NAME"), EXAMPLE].contains(&name), "{name} comes from a folder"),
            Some(source) => {
                assert!(registries.contains(source), "{name} comes from {source}");
                assert!(package.get("checksum").is_some(), "{name} has no checksum");
            }
        }
    }
}

#[test]
fn what_we_ask_for_has_a_version() {
    for section in ["dependencies", "dev-dependencies"] {
        let wishes = table("Cargo.toml")[section].as_table().unwrap().clone();
        for (name, wish) in wishes.iter().filter(|(name, _)| *name != env!("CARGO_PKG_NAME")) {
            let version = wish.as_str().or_else(|| wish.get("version").and_then(toml::Value::as_str));
            assert!(version.is_some_and(|version| !version.contains('*')), "{name} has no version");
            assert!(wish.get("git").is_none() && wish.get("path").is_none(), "{name} does not come from the registry");
        }
    }
}

#[test]
fn the_judge_knows_good_from_bad() {
    let allowed = BTreeSet::from(["MIT".to_owned(), "Apache-2.0".to_owned()]);
    for good in ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "MIT AND Apache-2.0", "Apache-2.0 WITH LLVM-exception OR MIT"] {
        assert!(judge(good, &allowed).is_ok(), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0 WITH LLVM-exception", "", "whatever"] {
        assert!(judge(bad, &allowed).is_err(), "{bad}");
    }
}
