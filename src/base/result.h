// Result<T, E>: a value or an error, with the interface of C++23's std::expected.
//
// No exception crosses a module boundary; functions that can fail return a Result whose E is an enum or a
// small struct of the module.
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"

namespace sallyport {

// Wraps an error so that it converts to any Result with that error type.
template <typename E>
class Unexpected {
 public:
  constexpr explicit Unexpected(E error) : error_(std::move(error)) {}
  constexpr const E& error() const& { return error_; }
  constexpr E&& error() && { return std::move(error_); }

 private:
  E error_;
};

template <typename E>
Unexpected(E) -> Unexpected<E>;

template <typename T, typename E>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;

  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  template <typename G>
  requires std::is_convertible_v<G, E>
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr Result(Unexpected<G> error) : state_(std::in_place_index<1>, std::move(error).error()) {}

  constexpr bool has_value() const { return state_.index() == 0; }
  constexpr explicit operator bool() const { return has_value(); }

  constexpr T& value() & { return checked_value(*this); }
  constexpr const T& value() const& { return checked_value(*this); }
  constexpr T&& value() && { return std::move(checked_value(*this)); }
  constexpr T& operator*() & { return value(); }
  constexpr const T& operator*() const& { return value(); }
  constexpr T&& operator*() && { return std::move(*this).value(); }
  constexpr T* operator->() { return &value(); }
  constexpr const T* operator->() const { return &value(); }

  constexpr E& error() & { return checked_error(*this); }
  constexpr const E& error() const& { return checked_error(*this); }
  constexpr E&& error() && { return std::move(checked_error(*this)); }

  template <typename U>
  constexpr T value_or(U&& fallback) const& {
    return has_value() ? value() : static_cast<T>(std::forward<U>(fallback));
  }

 private:
  template <typename Self>
  static constexpr auto& checked_value(Self& self) {
    SALLYPORT_CHECK(self.has_value());
    return *std::get_if<0>(&self.state_);
  }
  template <typename Self>
  static constexpr auto& checked_error(Self& self) {
    SALLYPORT_CHECK(!self.has_value());
    return *std::get_if<1>(&self.state_);
  }

  std::variant<T, E> state_;
};

// For functions that yield nothing but may fail: Result<Unit, E>.
struct Unit {
  friend constexpr bool operator==(Unit, Unit) = default;
};

}  // namespace sallyport
