#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/checksum.h"

namespace dendro {

/// A new version of the rules below makes other leaves: what stores a leaf's text stores this beside it.
inline constexpr std::uint8_t kLeafRulesVersion = 1;
/// How a leaf shows what varies.
inline constexpr std::string_view kLeafVariable = "<*>";
/// Stands in front of a soft token: one that looks like a name of something (a path, host, user), so that a few
/// different ones are enough for merging to see a variable. Drop it before showing a leaf to people.
inline constexpr char kSoftMark = '\x02';
/// The rest of a longer line is one `<*>`.
inline constexpr std::size_t kLeafTokensMax = 256;
/// A longer token is a `<*>`: no word is so long, and a leaf is bounded (66 KiB) whatever is sent.
inline constexpr std::size_t kLeafTokenBytesMax = 256;

/// The canonical form of a body or of its skeleton: numbers, ids, times and the like folded to `<*>`, tokens one space
/// apart. Bodies of one leaf came from the same statement, or from ones that differ in nothing a reader would name;
/// what differs in a word is merged later (src/diagnosis). Pure and thread-safe. Any bytes will do; the time is linear
/// in their number. Rules: diagnosis.md 3.1-3.3.
///
/// leaf(text) = leaf(skeleton(text)) for every text, by construction: before anything else each token (of the
/// splitter's version 1, codec/splitter.h) that holds a digit becomes a slot, which changes nothing in a skeleton. A
/// slot may be written as '0' (the splitter's) or '\x01'. What this costs against reading the text itself:
///   - punctuation that touches a digit goes with it: "took 5." and "took 5" are one leaf;
///   - colon-hex and host:port see groups with a digit as slots: "x1:aa:bb" counts as colon-hex, for x1 is a slot;
///   - a unit, sign or `%` written together with its number was never seen apart.
///
/// What diagnosis.md leaves open, decided here:
///   - the first line is the first that holds more than spaces; \r, \t, \v, \f and NUL are spaces, too;
///   - bytes from 0x80 on are letters (UTF-8 is not decoded); other control bytes are tokens of one byte;
///   - trailing `.:!?*` are taken from URLs and paths, too, each one a token of its own;
///   - soft needs an ASCII letter or a byte from 0x80 on: "/" or "--" alone is a word; a dotted name has a word
///     character on both sides of a dot; "directly" behind `=` means no space between;
///   - colon-hex groups may be empty if one is a slot ("fe80::1"); host:port has one colon and digits behind it;
///   - the folding rules run in one pass from left to right over what was folded so far, so that a `<*>` made by one
///     counts for the others: "Sun, 06 Nov" becomes `<*> , <*>`, that one `<*>`, and Nov beside it another;
///   - rule 2 takes capitalised names, short or long; rule 4 takes () [] {} <> with or without spaces inside, but
///     quotes only without one and only where they open (not behind a word); rule 6 allows spaces around the joiner.
/// In the input a kSoftMark makes the token behind it soft: a leaf whose `<*>` are written as slots is its own leaf
/// (measured on all 24,000 lines of loghub; not so where rule 4 left quotes that a space now parts, or at 256 tokens).
std::string canonical_leaf(std::string_view skeleton);

/// Identity of a leaf's text: XXH3-64 under a key of the tenant's. Stable for a key; two leaves may share one (compare
/// the texts on first insert).
std::uint64_t leaf_id(std::string_view leaf, HashSeed key);

/// Of the ids that people see: one for all tenants, files and servers, so that a link or a saved query from one means
/// the same in another.
inline constexpr HashSeed kLeafIdSeed{0x6465'6E64'726F'0001};
/// The id of the leaf of a body, as `_template` shows it: to_hex16 (base/hex.h) of leaf_id under kLeafIdSeed.
std::string template_id_of(std::string_view body);

}  // namespace dendro
