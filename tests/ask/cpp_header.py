# SPDX-License-Identifier: MIT
"""A header of C++ with classes to ask about, and where each is defined that it only declares."""

HEADER = """
#pragma once
#include <utility>
#ifdef STANDARD
#include <string>
#include <memory>
#include <vector>
#endif
namespace app {
struct point { double x, y; };
struct big { long words[40]; };
struct padded { char a; double b; char c; };
struct derived : padded { char d; };
struct empty { };
struct holds_empty : empty { int a; };
class counted {
    int references = 1;
public:
    counted() = default;
    counted(const counted &other) : references(other.references + 1) { }
    counted &operator=(const counted &) = default;
};
struct guarded { ~guarded(); long held; };
struct buffer {
    buffer() : bytes(new char[100]) { }
    buffer(const buffer &) : bytes(new char[100]) { }
    buffer(buffer &&other) noexcept : bytes(other.bytes) { other.bytes = nullptr; }
    buffer &operator=(const buffer &) { return *this; }
    buffer &operator=(buffer &&other) noexcept { std::swap(bytes, other.bytes); return *this; }
    ~buffer() { delete[] bytes; }
    char *bytes;
};
struct named { named(int, buffer text) : text(std::move(text)) { } buffer text; };
struct shape { virtual double area() const = 0; virtual ~shape() = default; };
struct square : shape { double side = 1; double area() const override { return side * side; } };
struct virtually : virtual empty { int a; };
class hidden_end { ~hidden_end(); };
struct no_end { ~no_end() = delete; };
struct pinned { pinned(); pinned(const pinned &) = delete; pinned &operator=(const pinned &) = delete; };
struct declared;
template <class T> struct couple { T first, second; };
typedef couple<int> ints;
}
"""
