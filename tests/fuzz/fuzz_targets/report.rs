//! `fuzz::report` under the fuzzer; any other build makes a program that tries the files it is given.

#![cfg_attr(fuzzing, no_main)]

fuzz::program!(report);
