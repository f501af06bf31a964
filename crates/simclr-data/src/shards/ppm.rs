//! Images without compression: the binary PPM of 8 bits a channel (`P6`, 255).

/// Most bytes of a header that is read.
pub(super) const MOST_HEADER: usize = 64;

/// The header before the pixels of an image.
pub(crate) fn header(width: u32, height: u32) -> Vec<u8> {
    format!("P6\n{width} {height}\n255\n").into_bytes()
}

/// Width, height, and the length of the header, of an image whose file begins with `bytes`. `None` for other files.
pub(super) fn parse(bytes: &[u8]) -> Option<(u32, u32, usize)> {
    let mut at = 2;
    let mut number = || -> Option<u32> {
        loop {
            match bytes.get(at)? {
                byte if byte.is_ascii_whitespace() => at += 1,
                b'#' => at += bytes[at..].iter().position(|&byte| byte == b'\n')?,
                _ => break,
            }
        }
        let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = str::from_utf8(&bytes[at..at + digits]).ok()?.parse().ok()?;
        at += digits;
        Some(number)
    };
    if !bytes.starts_with(b"P6") {
        return None;
    }
    let (width, height, most) = (number()?, number()?, number()?);
    // One byte of space, and then the pixels.
    let is_legal = width > 0 && height > 0 && most == 255 && bytes.get(at)?.is_ascii_whitespace();
    is_legal.then_some((width, height, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_headers_and_those_of_others_are_read() {
        assert_eq!(parse(&header(500, 375)), Some((500, 375, 15)));
        assert_eq!(parse(b"P6 # by hand\n 3\n#\n2 255\r"), Some((3, 2, 24)));
    }

    #[test]
    fn other_files_are_refused() {
        for other in [
            &b"P5\n1 1\n255\n"[..],
            b"P6\n1 1\n65535\n",
            b"P6\n0 1\n255\n",
            b"P6\n1 1\n255",
            b"P6\n-1 1\n255\n",
            b"P6\n99999999999 1\n255\n",
            b"P6\n#",
            b"P6",
            b"",
        ] {
            assert_eq!(parse(other), None, "{:?}", str::from_utf8(other));
        }
    }
}
