//! The part of the protocol buffers wire format that exports use, including
//! groups (<https://protobuf.dev/programming-guides/encoding/>).

/// Maximum depth of nested groups; an export has two levels.
const MAX_GROUP_DEPTH: usize = 16;

/// Maximum length of a varint: 64 bits in groups of seven.
const MAX_VARINT_BYTES: usize = 10;

/// Error of decoding a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A field exceeds the message.
    #[error("a field is truncated")]
    Truncated,
    /// A number has more than 64 bits.
    #[error("a number is too long")]
    Varint,
    /// A field has an invalid number or wire type.
    #[error("a field has an unknown wire type or number")]
    Tag,
    /// A start or end of a group has no counterpart, or groups nest too deeply.
    #[error("its groups do not match, or nest too deeply")]
    Group,
}

/// Value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    /// The fields between the start and the end of a group.
    Group(&'a [u8]),
    Fixed32,
}

impl<'a> Wire<'a> {
    pub(super) fn varint(self) -> Result<u64, WireError> {
        match self {
            Self::Varint(number) => Ok(number),
            _ => Err(WireError::Tag),
        }
    }

    pub(super) fn fixed64(self) -> Result<u64, WireError> {
        match self {
            Self::Fixed64(bits) => Ok(bits),
            _ => Err(WireError::Tag),
        }
    }

    pub(super) fn bytes(self) -> Result<&'a [u8], WireError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(WireError::Tag),
        }
    }

    pub(super) fn group(self) -> Result<&'a [u8], WireError> {
        match self {
            Self::Group(fields) => Ok(fields),
            _ => Err(WireError::Tag),
        }
    }
}

/// Field of a message: its number and value.
pub(super) type WireField<'a> = (u64, Wire<'a>);

/// Fields of a message, up to the first invalid one.
pub(super) struct WireFields<'a> {
    rest: &'a [u8],
}

/// Tag with its value; groups are not assembled yet.
enum WireToken<'a> {
    Whole(Wire<'a>),
    StartGroup,
    EndGroup,
}

impl<'a> WireFields<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn field(&mut self) -> Result<WireField<'a>, WireError> {
        let (number, token) = self.token()?;
        match token {
            WireToken::Whole(wire) => Ok((number, wire)),
            WireToken::StartGroup => Ok((number, Wire::Group(self.group(number)?))),
            WireToken::EndGroup => Err(WireError::Group),
        }
    }

    fn token(&mut self) -> Result<(u64, WireToken<'a>), WireError> {
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 {
            return Err(WireError::Tag);
        }
        let token = match tag & 7 {
            0 => WireToken::Whole(Wire::Varint(self.varint()?)),
            1 => WireToken::Whole(Wire::Fixed64(u64::from_le_bytes(self.array()?))),
            2 => {
                let length = self.varint()?;
                let length = usize::try_from(length).map_err(|_| WireError::Truncated)?;
                WireToken::Whole(Wire::Bytes(self.take(length)?))
            }
            3 => WireToken::StartGroup,
            4 => WireToken::EndGroup,
            5 => {
                self.array::<4>()?;
                WireToken::Whole(Wire::Fixed32)
            }
            _ => return Err(WireError::Tag),
        };
        Ok((number, token))
    }

    /// Returns the fields up to the end of the group that has just started.
    fn group(&mut self, number: u64) -> Result<&'a [u8], WireError> {
        let start = self.rest;
        let mut open = vec![number];
        loop {
            let before = self.rest.len();
            match self.token()? {
                (_, WireToken::Whole(_)) => {}
                (number, WireToken::StartGroup) if open.len() < MAX_GROUP_DEPTH => {
                    open.push(number)
                }
                (_, WireToken::StartGroup) => return Err(WireError::Group),
                (number, WireToken::EndGroup) => {
                    if open.pop() != Some(number) {
                        return Err(WireError::Group);
                    }
                    if open.is_empty() {
                        let length = start.len() - before;
                        return start.get(..length).ok_or(WireError::Truncated);
                    }
                }
            }
        }
    }

    fn varint(&mut self) -> Result<u64, WireError> {
        let mut number = 0_u64;
        for (index, byte) in self.rest.iter().take(MAX_VARINT_BYTES).enumerate() {
            let bits = u64::from(byte & 0x7f);
            if index == MAX_VARINT_BYTES - 1 && bits > 1 {
                return Err(WireError::Varint);
            }
            number |= bits << (7 * index);
            if byte & 0x80 == 0 {
                self.take(index + 1)?;
                return Ok(number);
            }
        }
        Err(if self.rest.len() < MAX_VARINT_BYTES {
            WireError::Truncated
        } else {
            WireError::Varint
        })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let split = self.rest.split_at_checked(length);
        let (bytes, rest) = split.ok_or(WireError::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }
}

impl<'a> Iterator for WireFields<'a> {
    type Item = Result<WireField<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}
