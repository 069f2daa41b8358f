/* files.c: the connections of all threads of a store, and what happens to them when a file goes away under its name. */
#include "sqlite.h"
#include "../../base/files.h"

void gv_sqlite_join(gv_sqlite *self, gv_connections *own)
{
    pthread_rwlock_wrlock(&self->files);
    gv_list_append(&self->connections, &own->link);
    pthread_rwlock_unlock(&self->files);
}

void gv_sqlite_leave(gv_sqlite *self, gv_connections *own)
{
    pthread_rwlock_wrlock(&self->files);
    gv_list_remove(&own->link);
    gv_database_close(&own->db);
    gv_database_close(&own->index);
    pthread_rwlock_unlock(&self->files);
}

/* Held for writing. */
static void close_indexes(gv_sqlite *self)
{
    gv_link *link = gv_list_first(&self->connections);
    for (; link && link != &self->connections.head; link = link->next)
        gv_database_close(&GV_CONTAINER(link, gv_connections, link)->index);
}

static void close_all(gv_sqlite *self)
{
    gv_link *link = gv_list_first(&self->connections);
    for (; link && link != &self->connections.head; link = link->next)
        gv_database_close(&GV_CONTAINER(link, gv_connections, link)->db);
}

/* An index that was moved can wait: it is as good as it was, and a long read would hold up everybody. */
static void renew(gv_sqlite *self, gv_connections *own, bool at_once)
{
    if (!at_once && pthread_rwlock_trywrlock(&self->files))
        return;
    if (at_once)
        pthread_rwlock_wrlock(&self->files);
    if (gv_database_moved(&own->db)) {
        close_all(self);
        gv_writer_moved(&self->writing);
    }
    if (gv_database_moved(&own->index)) {
        close_indexes(self);
        gv_database_clear_place(self->index_path);
    }
    pthread_rwlock_unlock(&self->files);
}

void gv_sqlite_hold_files(gv_sqlite *self, gv_connections *own)
{
    pthread_rwlock_rdlock(&self->files);
    bool moved = gv_database_moved(&own->db);
    if (!moved && !gv_database_moved(&own->index))
        return;
    pthread_rwlock_unlock(&self->files);
    renew(self, own, moved);
    pthread_rwlock_rdlock(&self->files);
}

void gv_sqlite_let_files_go(gv_sqlite *self)
{
    pthread_rwlock_unlock(&self->files);
}

bool gv_sqlite_forget_index(gv_sqlite *self)
{
    if (pthread_rwlock_trywrlock(&self->files))
        return false;
    close_indexes(self);
    gv_file_unlink(self->index_path);
    gv_database_clear_place(self->index_path);
    atomic_store(&self->index_damaged, false);
    pthread_rwlock_unlock(&self->files);
    return true;
}
