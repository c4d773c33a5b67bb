//! What is made before the crate is built: the files of the page `/docs` (feature `docs`).

#[cfg(feature = "docs")]
#[path = "build/docs.rs"]
mod docs;

#[cfg(feature = "docs")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/docs.rs");
    docs::take_files()
}

#[cfg(not(feature = "docs"))]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
