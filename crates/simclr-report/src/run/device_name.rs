//! The name of a device for people.

/// The backends, as a device's description names them.
const BACKENDS: [&str; 8] =
    ["flex", "ndarray", "cuda", "rocm", "vulkan", "metal", "wgpu", "remote"];

/// `flex` for `Device<Flex(Cpu)>`, Burn's description of a device, and `cuda:1` for a numbered one. A plain name is
/// itself, and so is what is neither.
pub(crate) fn device_name(recorded: &str) -> String {
    let Some(described) = recorded.strip_prefix("Device<") else { return recorded.to_owned() };
    let described = described.trim_end_matches('>');
    let words = || described.split(|c: char| !c.is_alphanumeric());
    let named = |word: &str| BACKENDS.iter().find(|backend| backend.eq_ignore_ascii_case(word));
    let Some(backend) = words().find_map(named) else { return described.to_owned() };
    match words().find_map(|word| word.parse::<usize>().ok()) {
        Some(number) if *backend != "remote" => format!("{backend}:{number}"),
        _ => (*backend).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_called_as_the_command_calls_it() {
        for (recorded, expected) in [
            ("Device<Flex(Cpu)>", "flex"),
            ("Device<NdArray(Cpu)>", "ndarray"),
            ("Device<Cube(Cuda(Cuda(1)))>", "cuda:1"),
            ("Device<Cube(Wgpu(DefaultDevice))>", "wgpu"),
            ("Device<Remote(RemoteDevice { address: 127.0.0.1:3000 })>", "remote"),
            ("flex", "flex"),
            ("cuda:0", "cuda:0"),
            ("Device<Abacus(7)>", "Abacus(7)"),
            ("an <odd> one", "an <odd> one"),
        ] {
            assert_eq!(device_name(recorded), expected, "{recorded}");
        }
    }

    #[test]
    fn the_cpu_of_this_build_is_called_flex() {
        assert_eq!(device_name(&format!("{:?}", burn::tensor::Device::flex())), "flex");
    }
}
