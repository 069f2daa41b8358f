#include "shim.h"
#include "fuse.h"
#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>

typedef struct shim_file {
    sqlite3_file base;
    sqlite3_file *real;         /* behind this struct */
} shim_file;

static shim_fault armed;        /* changed while no call is under way */
static atomic_bool read_only;
static sqlite3_vfs shim;

void shim_arm(const shim_fault *fault)
{
    armed = *fault;
    fuse_arm(&(fuse){fault->calls, fault->at, fault->on_and_on});
}

unsigned long shim_heal(void)
{
    return fuse_heal();
}

unsigned long shim_counted(void)
{
    return fuse_counted();
}

void shim_read_only(bool on)
{
    atomic_store(&read_only, on);
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((shim_file *)(void *)file)->real;
}

static int close_file(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int read_file(sqlite3_file *file, void *data, int amount, sqlite3_int64 offset)
{
    return fuse_hits(SHIM_READ) ? SQLITE_IOERR_READ : real_of(file)->pMethods->xRead(real_of(file), data, amount, offset);
}

static int write_file(sqlite3_file *file, const void *data, int amount, sqlite3_int64 offset)
{
    if (!fuse_hits(SHIM_WRITE))
        return real_of(file)->pMethods->xWrite(real_of(file), data, amount, offset);
    int kept = armed.leaves == SHIM_WHOLE ? amount : armed.leaves == SHIM_HALF ? amount / 2 : 0;
    if (kept)
        real_of(file)->pMethods->xWrite(real_of(file), data, kept, offset);
    return armed.full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    return fuse_hits(SHIM_TRUNCATE) ? SQLITE_IOERR_TRUNCATE : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int sync_file(sqlite3_file *file, int flags)
{
    return fuse_hits(SHIM_SYNC) ? SQLITE_IOERR_FSYNC : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return fuse_hits(SHIM_SIZE) ? SQLITE_IOERR_FSTAT : real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int lock_file(sqlite3_file *file, int level)
{
    return fuse_hits(SHIM_LOCK) ? SQLITE_IOERR_LOCK : real_of(file)->pMethods->xLock(real_of(file), level);
}

static int unlock_file(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int check_lock(sqlite3_file *file, int *held)
{
    return fuse_hits(SHIM_LOCK) ? SQLITE_IOERR_CHECKRESERVEDLOCK : real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}

static int control_file(sqlite3_file *file, int what, void *value)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), what, value);
}

static int sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int map_shared(sqlite3_file *file, int page, int size, int extend, void volatile **memory)
{
    *memory = NULL;
    return fuse_hits(SHIM_SHARED) ? SQLITE_IOERR_SHMMAP : real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, memory);
}

static int lock_shared(sqlite3_file *file, int offset, int count, int flags)
{
    if (!(flags & SQLITE_SHM_UNLOCK) && fuse_hits(SHIM_SHARED))
        return SQLITE_IOERR_SHMLOCK;
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void shared_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int unmap_shared(sqlite3_file *file, int and_delete)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), and_delete);
}

static const sqlite3_io_methods methods = {
    2, close_file, read_file, write_file, truncate_file, sync_file, file_size, lock_file, unlock_file, check_lock, control_file,
    sector_size, characteristics, map_shared, lock_shared, shared_barrier, unmap_shared, NULL, NULL};

static sqlite3_vfs *below(void)
{
    return shim.pAppData;
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    shim_file *own = (shim_file *)(void *)file;
    own->base.pMethods = NULL;
    own->real = (sqlite3_file *)(void *)(own + 1);
    if (fuse_hits(SHIM_OPEN))
        return SQLITE_CANTOPEN;
    if (atomic_load(&read_only))
        flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    int code = below()->xOpen(below(), name, own->real, flags, out);
    if (code == SQLITE_OK)
        own->base.pMethods = &methods;
    return code;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int and_sync)
{
    (void)vfs;
    return fuse_hits(SHIM_DELETE) ? SQLITE_IOERR_DELETE : below()->xDelete(below(), name, and_sync);
}

void shim_install(void)
{
    sqlite3_vfs *real = sqlite3_vfs_find("unix");
    shim = *real;
    shim.zName = "gavat-test";
    shim.pNext = NULL;
    shim.pAppData = real;
    shim.szOsFile = (int)sizeof(shim_file) + real->szOsFile;
    shim.xOpen = open_file;
    shim.xDelete = delete_file;
    sqlite3_vfs_register(&shim, 1);
}
