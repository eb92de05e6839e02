//! Has the linker lay out the release program so that less of it lies in memory.
//!
//! The kernel maps a program in blocks around whatever runs. Scattered, the sixth of the code that every start runs kept half of it in
//! memory; `packaging/startup.ld` names it, and `packaging/lay-out` writes that file anew. A name that is no longer there is passed
//! over: an old list costs memory, never a build.

#![expect(clippy::disallowed_methods, reason = "a build script is told everything by variables")]

use std::env;
use std::path::Path;
use std::process::Command;

const LAYOUT: &str = "packaging/startup.ld";
/// The one system that the list was made on.
const TARGET: &str = "x86_64-unknown-linux-gnu";

fn main() {
    println!("cargo::rerun-if-changed={LAYOUT}");
    if !links_for_release().unwrap_or(false) {
        return;
    }
    if let Some(here) = env::var_os("CARGO_MANIFEST_DIR") {
        to_linker(&format!("-T{}", Path::new(&here).join(LAYOUT).display()));
    }
    if knows_packed_relocations().unwrap_or(false) {
        to_linker("-Wl,-z,pack-relative-relocs");
    }
}

fn to_linker(option: &str) {
    println!("cargo::rustc-link-arg-bin=slash-heroku={option}");
}

/// Whether this is a release build by the linker that comes with the compiler, which is the one that this was tried with.
fn links_for_release() -> Option<bool> {
    let ours = env::var("PROFILE").ok()? == "release" && env::var("TARGET").ok()? == TARGET;
    let another = env::var_os("RUSTC_LINKER").is_some() || env::var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| flags.contains("link"));
    let sysroot = said(Command::new(env::var_os("RUSTC")?).args(["--print", "sysroot"]))?;
    let linker = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("bin/gcc-ld/ld.lld");
    Some(ours && !another && linker.is_file())
}

/// Whether the C library of this system, which the program will need at least, is 2.36 or later. Earlier ones pass over such
/// relocations in silence, and whatever needs them crashes.
fn knows_packed_relocations() -> Option<bool> {
    let version = said(Command::new("getconf").arg("GNU_LIBC_VERSION"))?;
    let (major, minor) = version.trim().strip_prefix("glibc ")?.split_once('.')?;
    let number = |text: &str| text.parse::<u32>().ok();
    Some(env::var("HOST").ok()? == TARGET && (number(major)?, number(minor.split('.').next()?)?) >= (2, 36))
}

fn said(command: &mut Command) -> Option<String> {
    String::from_utf8(command.output().ok()?.stdout).ok()
}
