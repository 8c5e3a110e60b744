#include "audit/checkpoint.h"

#include <gtest/gtest.h>

namespace sallyport::audit {
namespace {

constexpr std::string_view origin = "sallyport.example/gateway-1";

NoteSigner signer_of(std::uint8_t seed_byte, std::string_view name = origin) {
  std::vector<std::uint8_t> seed(32, seed_byte);
  return std::move(NoteSigner::make(std::move(crypto::PrivateKey::ed25519_from_seed(seed).value()), name).value());
}

std::vector<NoteKey> keys_of(const NoteSigner& signer) {
  std::vector<NoteKey> keys;
  keys.push_back(std::move(NoteKey::parse(signer.verifier_key().to_line()).value()));
  return keys;
}

std::string signed_text(std::string_view text, const NoteSigner& signer) {
  const NoteSigner* list[] = {&signer};
  return sign_note(text, list);
}

Checkpoint checkpoint_of(std::uint64_t size) {
  return {.origin = std::string(origin), .size = size, .root = leaf_hash("x")};
}

TEST(Checkpoint, IsThreeLines) {
  EXPECT_EQ(text_of(checkpoint_of(42)),
            "sallyport.example/gateway-1\n42\nPH6byTDck/AfppmF7yQtn56GHzxTVaokzl70tLinDMs=\n");
}

TEST(Checkpoint, IsOpenedWithItsKey) {
  NoteSigner signer = signer_of(1);
  const NoteSigner* signers[] = {&signer};
  for (std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    std::string note = sign(checkpoint_of(size), signers);
    auto opened = open(note, keys_of(signer));
    ASSERT_TRUE(opened);
    EXPECT_EQ(*opened, checkpoint_of(size));
    EXPECT_EQ(open(note, keys_of(signer_of(2))).error(), CheckpointError::unknown_signers);
    EXPECT_EQ(open(note, {}).error(), CheckpointError::unknown_signers);
  }
}

TEST(Checkpoint, OfTheExampleOfTheFormatIsRead) {
  auto read = parse_checkpoint(
      "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
      "\xE2\x80\x94 example.com/behind-the-sofa "
      "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->checkpoint.origin, "example.com/behind-the-sofa");
  EXPECT_EQ(read->checkpoint.size, 20852163U);
}

TEST(Checkpoint, WithAnyBitChangedIsNotOpened) {
  NoteSigner signer = signer_of(1);
  const NoteSigner* signers[] = {&signer};
  std::string note = sign(checkpoint_of(1'234'567), signers);
  std::vector<NoteKey> keys = keys_of(signer);
  for (std::size_t i = 0; i < note.size() * 8; ++i) {
    std::string changed = note;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << i % 8));
    EXPECT_FALSE(open(changed, keys)) << i;
  }
  for (std::size_t length = 0; length < note.size(); ++length) {
    EXPECT_FALSE(open(note.substr(0, length), keys)) << length;
  }
}

TEST(Checkpoint, ThatIsSignedButMalformedIsRefused) {
  NoteSigner signer = signer_of(1);
  std::string root = "PH6byTDck/AfppmF7yQtn56GHzxTVaokzl70tLinDMs=\n";
  std::string name(origin);
  ASSERT_TRUE(open(signed_text(name + "\n5\n" + root, signer), keys_of(signer)));
  for (const std::string& text : {
           name + "\n5\n",
           name + "\n05\n" + root,
           name + "\n+5\n" + root,
           name + "\n-5\n" + root,
           name + "\n5 \n" + root,
           name + "\n\n" + root,
           name + "\n18446744073709551616\n" + root,
           name + "\n5\nAAAA\n",
           name + "\n5\n" + root + "extension\n",
           name + " \n5\n" + root,
           "\n5\n" + root,
       }) {
    EXPECT_EQ(open(signed_text(text, signer), keys_of(signer)).error(), CheckpointError::malformed) << text;
  }
}

TEST(Checkpoint, OfAnotherLogIsNotOpenedWithAKeyOfThisName) {
  NoteSigner signer = signer_of(1);
  std::string text = "other.example\n5\nPH6byTDck/AfppmF7yQtn56GHzxTVaokzl70tLinDMs=\n";
  EXPECT_EQ(open(signed_text(text, signer), keys_of(signer)).error(), CheckpointError::unknown_signers);
}

TEST(NoteList, HasTheWholeNotesOfAFile) {
  NoteSigner signer = signer_of(1);
  const NoteSigner* signers[] = {&signer, &signer};
  std::string first = sign(checkpoint_of(1), signers);
  std::string second = sign(checkpoint_of(2), signers);
  std::string file = first + "\n" + second + "\n";
  EXPECT_EQ(split_notes(file).notes, (std::vector<std::string_view>{first, second}));
  EXPECT_EQ(split_notes(file).taken, file.size());
  std::string torn = file.substr(0, file.size() - 1);
  EXPECT_EQ(split_notes(torn).notes, std::vector<std::string_view>{first});
  EXPECT_EQ(split_notes(torn).taken, first.size() + 1);
  EXPECT_TRUE(split_notes("").notes.empty());
  EXPECT_TRUE(split_notes("nothing\n").notes.empty());
}

}  // namespace
}  // namespace sallyport::audit
