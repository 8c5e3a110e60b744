#include "store/segment_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zstd.h>

#include <algorithm>
#include <fstream>

namespace sallyport::store {
namespace {

constexpr std::uint64_t first = 1000;

std::string compressed(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  std::size_t size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3);
  EXPECT_EQ(ZSTD_isError(size), 0U);
  out.resize(size);
  return out;
}

// Whether a file is read to its end, and what it was found to hold.
struct Content {
  std::string lines;
  std::string unfinished;
  std::string error;

  friend bool operator==(const Content&, const Content&) = default;
};

class SegmentReaderTest : public testing::Test {
 protected:
  SegmentReaderTest() {
    char name[] = "/tmp/sallyport-segment-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~SegmentReaderTest() override { std::filesystem::remove_all(directory_); }

  void put(SegmentFile file, std::string_view content, std::ios::openmode mode = std::ios::out) {
    std::ofstream(directory_ / name_of(file, first), mode | std::ios::binary) << content;
  }

  static Content rest_of(SegmentReader& reader) {
    Content content;
    std::uint64_t index = reader.position();
    while (true) {
      auto chunk = reader.next();
      if (!chunk) {
        content.error = chunk.error().text;
        return content;
      }
      if (chunk->empty()) {
        content.unfinished = reader.unfinished();
        EXPECT_EQ(reader.position(), index);
        return content;
      }
      EXPECT_EQ(chunk->index, index);
      EXPECT_EQ(chunk->count, static_cast<std::uint64_t>(std::ranges::count(chunk->lines, '\n')));
      EXPECT_EQ(chunk->lines.back(), '\n');
      index += chunk->count;
      content.lines += chunk->lines;
    }
  }

  Content read(std::size_t chunk_bytes = SegmentReader::chunk_bytes_default) {
    auto reader = SegmentReader::open(directory_, first, chunk_bytes);
    return reader ? rest_of(*reader) : Content{.lines = {}, .unfinished = {}, .error = reader.error().text};
  }

  std::filesystem::path directory_;
};

std::string many_lines() {
  std::string text;
  for (std::size_t i = 0; i < 300; ++i) {
    text += std::string(i * i % 97, static_cast<char>('a' + i % 26)) + "\n";
  }
  return text + std::string(5000, 'x') + "\n" + "last\n";
}

TEST_F(SegmentReaderTest, ReadsWholeLinesWhateverTheChunk) {
  std::string text = many_lines();
  put(SegmentFile::records, text + "unfinished");
  for (std::size_t chunk_bytes : {1U, 2U, 7U, 64U, 1000U, 1U << 20}) {
    EXPECT_EQ(read(chunk_bytes), (Content{.lines = text, .unfinished = "unfinished", .error = ""})) << chunk_bytes;
  }
}

TEST_F(SegmentReaderTest, ReadsTheCompressedForm) {
  std::string text = many_lines();
  // Frames follow one another, and an empty one is no end.
  put(SegmentFile::compressed_records, compressed(text) + compressed("") + compressed(text) + compressed("torn"));
  for (std::size_t chunk_bytes : {1U, 2U, 64U, 1000U, 1U << 20}) {
    EXPECT_EQ(read(chunk_bytes), (Content{.lines = text + text, .unfinished = "torn", .error = ""})) << chunk_bytes;
  }
}

TEST_F(SegmentReaderTest, LargeOutputOfLittleInputIsReadInChunks) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) {
    text += "the same line again and again and again\n";
  }
  put(SegmentFile::compressed_records, compressed(text));
  for (std::size_t chunk_bytes : {40U, 4096U, 1U << 20}) {
    EXPECT_EQ(read(chunk_bytes).lines, text);
  }
}

TEST_F(SegmentReaderTest, TheOpenFormCounts) {
  put(SegmentFile::records, "open\n");
  put(SegmentFile::compressed_records, compressed("closed\n"));
  EXPECT_EQ(read().lines, "open\n");
}

TEST_F(SegmentReaderTest, FollowsAnOpenSegmentAlsoWhenItIsClosed) {
  put(SegmentFile::records, "one\ntw");
  auto reader = SegmentReader::open(directory_, first);
  ASSERT_TRUE(reader);
  EXPECT_EQ(rest_of(*reader).lines, "one\n");
  EXPECT_EQ(reader->unfinished(), "tw");
  put(SegmentFile::records, "o\nthree\n", std::ios::app);
  EXPECT_EQ(rest_of(*reader).lines, "two\nthree\n");
  put(SegmentFile::records, "four\n", std::ios::app);
  std::filesystem::remove(directory_ / name_of(SegmentFile::records, first));
  EXPECT_EQ(rest_of(*reader).lines, "four\n");
  EXPECT_EQ(reader->position(), first + 4);
}

TEST_F(SegmentReaderTest, ACompressedFormThatIsCutOffOrHasMoreBehindIsDamaged) {
  std::string text = many_lines();
  std::string whole = compressed(text);
  for (std::size_t length = 1; length < whole.size(); ++length) {
    put(SegmentFile::compressed_records, whole.substr(0, length));
    EXPECT_NE(read().error, "") << length;
  }
  for (const std::string& behind : {std::string("x"), std::string("\0", 1), std::string("garbage!")}) {
    put(SegmentFile::compressed_records, whole + behind);
    EXPECT_NE(read().error, "") << behind;
  }
  put(SegmentFile::compressed_records, "no zstd at all\n");
  EXPECT_NE(read().error.find("is damaged"), std::string::npos);
  // No frame, no record.
  put(SegmentFile::compressed_records, "");
  EXPECT_EQ(read(), (Content{.lines = "", .unfinished = "", .error = ""}));
}

TEST_F(SegmentReaderTest, SaysWhetherASegmentIsAbsentOrCantBeRead) {
  auto absent = SegmentReader::open(directory_, first);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().kind, SegmentError::Kind::absent);
  EXPECT_EQ(::mkfifo((directory_ / name_of(SegmentFile::records, first)).c_str(), 0600), 0);
  auto pipe = SegmentReader::open(directory_, first);
  ASSERT_FALSE(pipe);
  EXPECT_EQ(pipe.error().kind, SegmentError::Kind::unreadable);
}

}  // namespace
}  // namespace sallyport::store
