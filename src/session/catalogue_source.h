// Where sessions find what the schemas of their connection's servers hold.
#pragma once

#include <memory>
#include <string_view>

#include "base/clock.h"
#include "catalog/catalogue.h"

namespace sallyport::session {

// All calls are on the thread of the session's loop; none of them takes a lock.
class CatalogueSource {
 public:
  virtual ~CatalogueSource() = default;
  // The newest snapshot; null where none was read yet, or none is to be. The reference lives until the next event of
  // the loop: whoever needs the snapshot longer copies the pointer. A snapshot of another content has another version,
  // over all connections of the process.
  virtual const std::shared_ptr<const catalog::Catalogue>& find(std::string_view connection) const = 0;
  // Something has changed, or may have or will by `until`: it is read anew as soon as can be, and is in doubt until a
  // reading that began after that, for all sessions of the connection and of others that share a server with it. Cheap,
  // and may be called for each statement.
  virtual void changed(std::string_view connection, MonoTime until) = 0;
  // While what is returned lives, a statement runs that may change something: the same sessions are in doubt. What it
  // has changed is said by changed() before it goes.
  virtual std::shared_ptr<const void> changing(std::string_view connection) = 0;
  // Whether something may have changed since the newest snapshot was begun to be read.
  virtual bool in_doubt(std::string_view connection) const = 0;
};

}  // namespace sallyport::session
