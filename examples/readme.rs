//! Compiles and runs the examples of the README as tests of this documentation. Nothing else is here.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]
