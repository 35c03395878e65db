#include "text/grammar/format.h"

namespace polaris::grammar {
namespace {

// RFC 3339, with the days that a month of a year has. Leap seconds only as UTC writes them.
constexpr std::string_view kDate = R"gbnf(
date ::= [0-9]{4} "-" (long "-" day31 | short "-" day30 | "02-" day28) | leap "-02-29"
long ::= "01" | "03" | "05" | "07" | "08" | "10" | "12"
short ::= "04" | "06" | "09" | "11"
day28 ::= "0" [1-9] | "1" [0-9] | "2" [0-8]
day30 ::= day28 | "29" | "30"
day31 ::= day30 | "31"
leap ::= [0-9]{2} fourth | ("00" | fourth) "00"
fourth ::= "0" [48] | [2468] [048] | [13579] [26]
)gbnf";
constexpr std::string_view kTime = R"gbnf(
time ::= hour ":" minute ":" second part? zone | "23:59:60" part? utc
hour ::= [01] [0-9] | "2" [0-3]
minute ::= [0-5] [0-9]
second ::= [0-5] [0-9]
part ::= "." [0-9]+
zone ::= [zZ] | [-+] hour ":" minute
utc ::= [zZ] | [-+] "00:00"
)gbnf";
// RFC 3339, appendix A.
constexpr std::string_view kDuration = R"gbnf(
duration ::= "P" (date ("T" time)? | "T" time | n "W")
date ::= n "Y" (n "M" (n "D")?)? | n "M" (n "D")? | n "D"
time ::= n "H" (n "M" (n "S")?)? | n "M" (n "S")? | n "S"
n ::= [0-9]+
)gbnf";
constexpr std::string_view kIpv4 = R"gbnf(
ipv4 ::= byte "." byte "." byte "." byte
byte ::= "25" [0-5] | "2" [0-4] [0-9] | "1" [0-9] [0-9] | [1-9]? [0-9]
)gbnf";
// RFC 3986.
constexpr std::string_view kIpv6 = R"gbnf(
ipv6 ::= (h ":"){6} end | "::" (h ":"){5} end | h? "::" (h ":"){4} end |
  ((h ":"){0,1} h)? "::" (h ":"){3} end | ((h ":"){0,2} h)? "::" (h ":"){2} end |
  ((h ":"){0,3} h)? "::" h ":" end | ((h ":"){0,4} h)? "::" end |
  ((h ":"){0,5} h)? "::" h | ((h ":"){0,6} h)? "::"
h ::= [0-9a-fA-F]{1,4}
end ::= h ":" h | ipv4
)gbnf";
// RFC 5321's mailbox, of ASCII.
constexpr std::string_view kEmail = R"gbnf(
email ::= (atom ("." atom)* | "\\\"" quoted* "\\\"") "@" (label ("." label)* | "[" place "]")
place ::= ipv4 | "IPv6:" ipv6
atom ::= [a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+
quoted ::= [ !#-\[\]-~] | "\\\\" ("\\\\" | "\\\"" | [ !#-\[\]-~])
label ::= [a-zA-Z0-9] ([a-zA-Z0-9-]* [a-zA-Z0-9])?
)gbnf";
// RFC 3986.
constexpr std::string_view kUri = R"gbnf(
uri ::= scheme ":" place more
reference ::= uri | ("//" authority ("/" segment)* | "/" (part ("/" segment)*)? |
  first ("/" segment)* | "") more
more ::= ("?" query)? ("#" query)?
scheme ::= [a-zA-Z] [a-zA-Z0-9+.-]*
place ::= "//" authority ("/" segment)* | "/" (part ("/" segment)*)? | part ("/" segment)* | ""
authority ::= (user "@")? host (":" [0-9]*)?
user ::= (letter | percent | ":")*
host ::= "[" (ipv6 | [vV] [0-9a-fA-F]+ "." (letter | ":")+) "]" | (letter | percent)*
segment ::= pchar*
part ::= pchar+
first ::= (letter | percent | "@")+
query ::= (pchar | [/?])*
pchar ::= letter | percent | [:@]
percent ::= "%" [0-9a-fA-F] [0-9a-fA-F]
letter ::= [a-zA-Z0-9._~!$&'()*+,;=-]
)gbnf";
constexpr std::string_view kUuid = R"gbnf(
uuid ::= h{8} "-" h{4} "-" h{4} "-" h{4} "-" h{12}
h ::= [0-9a-fA-F]
)gbnf";

struct Format {
  std::string_view name;
  std::string_view root;
  std::string_view parts[3];
};
constexpr Format kFormats[] = {
    {"date", "date", {kDate}},
    {"time", "time", {kTime}},
    {"date-time", "date [tT] time", {kDate, kTime}},
    {"duration", "duration", {kDuration}},
    {"uuid", "uuid", {kUuid}},
    {"ipv4", "ipv4", {kIpv4}},
    {"ipv6", "ipv6", {kIpv4, kIpv6}},
    {"uri", "uri", {kIpv4, kIpv6, kUri}},
    {"uri-reference", "reference", {kIpv4, kIpv6, kUri}},
    {"email", "email", {kIpv4, kIpv6, kEmail}},
};

}  // namespace

std::string format_gbnf(std::string_view name) {
  std::string out;
  for (const Format& format : kFormats) {
    if (format.name != name) continue;
    out = "root ::= " + std::string(format.root);
    for (const std::string_view part : format.parts) out += part;
  }
  return out;
}

std::string format_names() {
  std::string out;
  for (const Format& format : kFormats) {
    out += (out.empty() ? "" : ", ") + std::string(format.name);
  }
  return out;
}

}  // namespace polaris::grammar
