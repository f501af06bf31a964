mod faults;
mod reading;
mod support;
