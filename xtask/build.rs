//! Hands the host's architecture to the code, which names the target of the static agent.
fn main() {
    println!(
        "cargo:rustc-env=XTASK_ARCH={}",
        std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default()
    );
}
