#include "store/log_state.h"

#include <gtest/gtest.h>

#include <thread>

namespace sallyport::store {
namespace {

MonoTime now() {
  return std::chrono::steady_clock::now();
}

TEST(LogState, RefusesBeyondTheAllowanceOfReadersAndResumesWhenTheyHaveCaughtUp) {
  LogState state;
  state.configure(audit::Durability::normal, Milliseconds{1000});
  state.synced({.records = 100, .segment = 0, .bytes = 1});
  state.allow({.refuse_beyond = 100, .resume_at = 50, .reader = "the sink siem"});
  EXPECT_FALSE(state.failing(now()));
  state.synced({.records = 101, .segment = 0, .bytes = 2});
  EXPECT_TRUE(state.failing(now()));
  EXPECT_EQ(state.failure(now()), "the sink siem is too far behind");
  state.allow({.refuse_beyond = 140, .resume_at = 90, .reader = "the sink siem"});
  EXPECT_TRUE(state.failing(now())) << "it has caught up a little only";
  state.allow({.refuse_beyond = 160, .resume_at = 101, .reader = "the sink siem"});
  EXPECT_FALSE(state.failing(now()));
  EXPECT_EQ(state.failure(now()), "");
}

TEST(LogState, WhatWaitsDoesSoInVainWhenNoRequestIsAnswered) {
  constexpr Milliseconds limit{1000};
  LogState state;
  state.configure(audit::Durability::normal, limit);
  MonoTime began = now();
  EXPECT_FALSE(state.stalls(began, began + limit));
  EXPECT_TRUE(state.stalls(began, began + limit + Milliseconds{1}));
  // Three requests of nearly as long.
  MonoTime at = began;
  for (int i = 0; i < 3; ++i) {
    state.io_begins(at);
    EXPECT_FALSE(state.stalls(began, at + limit));
    at += limit;
    state.io_ended(at);
  }
  EXPECT_FALSE(state.stalls(began, at + limit));
  EXPECT_TRUE(state.stalls(began, at + limit + Milliseconds{1}));
  state.io_begins(at);
  EXPECT_TRUE(state.stalls(at, at + limit + Milliseconds{1}));
  EXPECT_TRUE(state.failing(at + limit + Milliseconds{1}));
}

TEST(LogState, AFailureToWriteAndReadersThatAreBehindAreIndependent) {
  LogState state;
  state.configure(audit::Durability::normal, Milliseconds{1000});
  state.synced({.records = 10, .segment = 0, .bytes = 1});
  state.allow({.refuse_beyond = 5, .resume_at = 2, .reader = "the sink siem"});
  state.fails("the disk is full");
  EXPECT_EQ(state.failure(now()), "the disk is full");
  state.works();
  EXPECT_TRUE(state.failing(now()));
  state.fails("the disk is full");
  state.allow({});
  EXPECT_TRUE(state.failing(now()));
  state.works();
  EXPECT_FALSE(state.failing(now()));
}

TEST(LogState, WakesWhoWaitsForMoreRecords) {
  LogState state;
  std::thread writer([&] { state.synced({.records = 3, .segment = 0, .bytes = 9}); });
  LogEnd end = state.wait_for_more(2, Milliseconds{10'000});
  writer.join();
  EXPECT_EQ(end.records, 3U);
  EXPECT_EQ(state.wait_for_more(3, Milliseconds{1}).records, 3U);
}

}  // namespace
}  // namespace sallyport::store
