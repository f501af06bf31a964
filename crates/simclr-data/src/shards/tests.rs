mod conventions;
mod faults;
mod index;
mod support;
