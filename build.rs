//! Chooses the dispatcher: sibling calls need an optimising build and enough argument registers.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(cellule_tail)");
    println!("cargo::rerun-if-changed=build.rs");
    let env = |name: &str| std::env::var(name).unwrap_or_default();
    let optimised = matches!(env("OPT_LEVEL").as_str(), "2" | "3" | "s" | "z");
    let forced_loop = std::env::var_os("CARGO_FEATURE_DISPATCH_LOOP").is_some();
    let arch = env("CARGO_CFG_TARGET_ARCH");
    let hosted = env("CARGO_CFG_TARGET_OS") != "none";
    if optimised && !forced_loop && hosted && (arch == "x86_64" || arch == "aarch64") {
        println!("cargo::rustc-cfg=cellule_tail");
    }
}
