#include "wire/local_infile.h"

#include <gtest/gtest.h>

#include <string>

#include "wire/test_packets.h"

namespace sallyport::wire {
namespace {

using test::Buffer;
using test::packet;

TEST(LocalFile, IsThatOfTheStatementWhereNoServerReadsAnother) {
  for (std::string_view text :
       {"LOAD DATA LOCAL INFILE 'a.csv' INTO TABLE t", "load data local infile 'a.csv' into table t",
        "LOAD XML LOCAL INFILE 'a.csv' INTO TABLE t", "\n /* plain */ LOAD DATA LOCAL INFILE 'a.csv'INTO TABLE t",
        "-- why\nLOAD DATA CONCURRENT LOCAL INFILE'a.csv' INTO TABLE t",
        "# why\nLoad\tData Low_Priority/**/Local Infile 'a.csv' INTO TABLE t"}) {
    EXPECT_EQ(local_file_of(text), "a.csv") << text;
  }
}

TEST(LocalFile, IsNoneWhereThereIsADoubt) {
  for (std::string_view text : {"",
                                "LOAD",
                                "LOAD DATA INFILE 'a.csv' INTO TABLE t",
                                "SELECT 1",
                                "SELECT 'LOAD DATA LOCAL INFILE'",
                                "LOAD DATA LOCAL INFILE \"a.csv\" INTO TABLE t",
                                "LOAD DATA LOCAL INFILE 'a''b' INTO TABLE t",
                                "LOAD DATA LOCAL INFILE 'a\\'b' INTO TABLE t",
                                "LOAD DATA LOCAL INFILE 'a\xE9' INTO TABLE t",
                                "LOAD DATA LOCAL INFILE '' INTO TABLE t",
                                "LOAD DATA LOCAL INFILE 'a.csv",
                                "/*! LOAD DATA */ LOCAL INFILE 'a.csv'",
                                "/*M! x */LOAD DATA LOCAL INFILE 'a.csv'",
                                "/* /* */ LOAD DATA LOCAL INFILE 'a.csv'",
                                "-- x\rLOAD DATA LOCAL INFILE 'b'\nLOAD DATA LOCAL INFILE 'a.csv'",
                                "--x\nLOAD DATA LOCAL INFILE 'a.csv'",
                                "LOADDATA LOCAL INFILE 'a.csv'",
                                "LOAD DATAx LOCAL INFILE 'a.csv'",
                                "SELECT 1; LOAD DATA LOCAL INFILE 'a.csv' INTO TABLE t",
                                "LOAD DATA LOCAL INFILE /* 'b' */ _utf8'a.csv'",
                                "LOAD DATA LOCAL INFILE 0x61 INTO TABLE t"}) {
    EXPECT_FALSE(local_file_of(text).has_value()) << text;
  }
}

TEST(UploadReader, FollowsAFileToItsEmptyPacketInPartsOfAnySize) {
  Buffer stream;
  test::append(stream, packet(2, Buffer(300, 'x')));
  test::append(stream, packet(3, Buffer(5, 'y')));
  test::append(stream, packet(4, Buffer{}));
  std::size_t file_end = stream.size();
  stream.push_back(9);  // of what follows
  for (std::size_t part : {std::size_t{1}, std::size_t{7}, stream.size()}) {
    UploadReader reader{2};
    std::size_t taken = 0;
    std::size_t given = 0;
    int frames = 0;
    while (!reader.done()) {
      given = std::min(stream.size(), given + part);
      auto step = reader.next(Bytes{stream}.subspan(taken, given - taken));
      ASSERT_TRUE(step);
      frames += step->frame_starts ? 1 : 0;
      taken += step->bytes;
    }
    EXPECT_EQ(taken, file_end);
    EXPECT_EQ(frames, 3);
    EXPECT_EQ(reader.bytes(), 305U);
    EXPECT_EQ(reader.next_sequence_id(), 5);
  }
}

TEST(UploadReader, AnEmptyFrameThatEndsALargePacketIsNotTheEnd) {
  UploadReader reader{0};
  Buffer header{0xFF, 0xFF, 0xFF, 0};
  EXPECT_EQ(reader.next(header)->bytes, 4U);
  Buffer body(0xFFFFFF, 'x');
  EXPECT_EQ(reader.next(body)->bytes, body.size());
  EXPECT_EQ(reader.next(Buffer{0, 0, 0, 1})->bytes, 4U);
  EXPECT_FALSE(reader.done());
  EXPECT_EQ(reader.next(Buffer{0, 0, 0, 2})->bytes, 4U);
  EXPECT_TRUE(reader.done());
}

TEST(UploadReader, AWrongNumberIsAnError) {
  UploadReader reader{2};
  EXPECT_FALSE(reader.next(Buffer{1, 0, 0, 3, 0}));
}

}  // namespace
}  // namespace sallyport::wire
