// From C++17: owners for the client and its ops, a lambda as callback, a future to wait for it.
#include <future>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <gavatcore.h>

namespace {

struct unref_op {
    void operator()(gavat_op *op) const { gavat_op_unref(op); }
};
struct free_config {
    void operator()(gavat_config *cfg) const { gavat_config_free(cfg); }
};
using held_op = std::unique_ptr<gavat_op, unref_op>;
using config = std::unique_ptr<gavat_config, free_config>;

// Throws what went wrong.
void check(const gavat_op *op)
{
    if (gavat_op_status(op) != GAVAT_OK)
        throw std::runtime_error(gavat_op_error(op)->message);
}

class client {
public:
    explicit client(const config &cfg)
    {
        if (gavat_new(&g_, nullptr, cfg.get()) != GAVAT_OK)
            throw std::runtime_error(gavat_config_error(cfg.get()));
    }
    ~client()
    {
        if (gavat_close_wait(g_, 5000) != GAVAT_OK)
            std::cerr << "work was cut off\n";
        gavat_unref(g_);
    }
    client(const client &) = delete;
    client &operator=(const client &) = delete;
    gavat *get() const { return g_; }

    // submit(op) is any call of the library; it is waited for, and the op comes back to be read.
    template <typename Submit> held_op wait(Submit submit) const
    {
        held_op op(gavat_op_new_held(g_));
        submit(op.get());
        gavat_op_wait(op.get());
        check(op.get());
        return op;
    }

private:
    gavat *g_ = nullptr;
};

// The callback way: the promise lives until the loop's thread has kept it.
std::future<std::string> log_event(const client &c, const std::string &user, const std::string &message)
{
    auto promise = std::make_unique<std::promise<std::string>>();
    auto future = promise->get_future();
    auto done = [](gavat_op *op, void *data) {
        std::unique_ptr<std::promise<std::string>> kept(static_cast<std::promise<std::string> *>(data));
        if (gavat_op_status(op) == GAVAT_OK)
            kept->set_value(gavat_op_uid(op));
        else
            kept->set_exception(std::make_exception_ptr(std::runtime_error(gavat_op_error(op)->message)));
    };
    gavat_op *op = gavat_op_new(c.get(), done, promise.get());
    if (!op)
        throw std::runtime_error("no room for another operation");
    promise.release();

    gavat_event event = gavat_event_init();
    event.user_id = user.c_str();
    event.type = "dm_sent";
    event.message = message.c_str();
    gavat_log_event(op, &event);
    return future;
}

} // namespace

int main()
{
    try {
        config cfg(gavat_config_new());
        gavat_config_load_env(cfg.get());
        client c(cfg);
        c.wait([](gavat_op *op) { gavat_open(op); });

        auto first = log_event(c, "1001", "Hoş geldin!");
        auto second = log_event(c, "1001", "Menü için yaz: menü");
        std::cout << "stored " << first.get() << "\nstored " << second.get() << '\n';

        gavat_filter filter = gavat_filter_init();
        filter.user_id = "1001";
        filter.limit = 2;
        held_op page = c.wait([&](gavat_op *op) { gavat_get_events(op, &filter); });
        for (size_t i = 0; i < gavat_op_count(page.get()); i++)
            std::cout << gavat_op_json(page.get(), i, nullptr) << '\n';
        return 0;
    } catch (const std::exception &fault) {
        std::cerr << fault.what() << '\n';
        return 1;
    }
}
